/** Providers whose program signs in by itself, and keeps what it got in a file that `login` can take over. */
export const agentNames: readonly string[] = ['claude-code', 'codex', 'gemini-cli', 'github-copilot'];
