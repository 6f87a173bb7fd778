import type { Command } from 'commander';
import type { CommandContext, Outcome } from './context.ts';

/** A file in `commands/`: the options of a command, and what it does. */
export interface CommandModule {
  build(
    command: Command,
    context: CommandContext,
    finish: (outcome: Promise<Outcome>) => Promise<void>,
  ): void;
}

export interface CommandEntry {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

const signIn = 'Sign in';
const use = 'Use';
const inspect = 'Inspect';
const manage = 'Manage';

/** Every command, in the order of `--help`. Only the command that runs is loaded. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'login',
    group: signIn,
    summary: 'sign in to a provider, in the browser or in the terminal',
    load: () => import('./commands/login.ts'),
  },
  {
    name: 'logout',
    group: signIn,
    summary: 'remove one connection, and revoke it if supported',
    load: () => import('./commands/logout.ts'),
  },
  {
    name: 'revoke',
    group: signIn,
    summary: 'revoke every connection of a provider, and clear its OAuth client',
    load: () => import('./commands/revoke.ts'),
  },
  {
    name: 'run',
    group: use,
    summary: 'run a command that uses your connections without seeing a secret',
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'export',
    group: use,
    summary: "print a connection's secret as environment variables",
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'scan',
    group: use,
    summary: 'find keys in .env files and the environment, and move them into the vault',
    load: () => import('./commands/scan.ts'),
  },
  {
    name: 'list',
    group: inspect,
    summary: 'show your connections, and the available providers',
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'get',
    group: inspect,
    summary: 'show one connection, or one field of it',
    load: () => import('./commands/get.ts'),
  },
  {
    name: 'inspect',
    group: inspect,
    summary: "show a provider's definition",
    load: () => import('./commands/inspect.ts'),
  },
  {
    name: 'log',
    group: inspect,
    summary: 'show what happened: sign-ins, refreshes, and every decision of the proxy',
    load: () => import('./commands/log.ts'),
  },
  {
    name: 'explain',
    group: inspect,
    summary: 'explain why the proxy decided as it did about one request',
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'probe',
    group: inspect,
    summary: 'make one harmless request for each connection, and see whether its credential arrives',
    load: () => import('./commands/probe.ts'),
  },
  {
    name: 'whoami',
    group: inspect,
    summary: 'show the identity, the vault and the daemon in use',
    load: () => import('./commands/whoami.ts'),
  },
  {
    name: 'init',
    group: manage,
    summary: 'prepare the home, the identity, the vault and the daemon',
    load: () => import('./commands/machine/init.ts'),
  },
  {
    name: 'doctor',
    group: manage,
    summary: 'check that everything works, and show how to fix what does not',
    load: () => import('./commands/machine/doctor.ts'),
  },
  {
    name: 'connections',
    group: manage,
    summary: 'choose the default connection, and approve new hosts',
    load: () => import('./commands/connections.ts'),
  },
  {
    name: 'register',
    group: manage,
    summary: 'add a provider definition of your own',
    load: () => import('./commands/register.ts'),
  },
  {
    name: 'remove',
    group: manage,
    summary: 'remove a provider definition of your own',
    load: () => import('./commands/remove.ts'),
  },
  {
    name: 'daemon',
    group: manage,
    summary: 'start, stop and inspect the daemon',
    load: () => import('./commands/daemon.ts'),
  },
  {
    name: 'vault',
    group: manage,
    summary: 'lock the vault with a passphrase, or remove it',
    load: () => import('./commands/machine/vault.ts'),
  },
  {
    name: 'uninstall',
    group: manage,
    summary: 'show what authsome has on this machine, and remove it when told to',
    load: () => import('./commands/machine/uninstall.ts'),
  },
  {
    name: 'completion',
    group: manage,
    summary: 'print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'help',
    group: manage,
    summary: 'show help for a command, or a page of the manual',
    load: () => import('./commands/help.ts'),
  },
];
