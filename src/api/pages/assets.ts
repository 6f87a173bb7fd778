/** The pages' one style sheet. Colors reach WCAG AA on their backgrounds in both schemes. */
export const styleSheet = `
:root {
  --ground: #f4f5f7; --card: #ffffff; --ink: #171a21; --soft: #59616f; --line: #dde1e7; --field: #ffffff;
  --edge: #8a93a3; --inset: #f4f5f7; --accent: #2855d1; --accent-ink: #ffffff; --accent-hover: #1f45ae;
  --good: #14713d; --good-wash: #e3f5ea; --bad: #b3261e; --bad-wash: #fdeceb; --warn: #8a5300; --warn-wash: #fdf1dc;
  --shadow: 0 1px 2px rgb(23 26 33 / 6%), 0 8px 32px rgb(23 26 33 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101217; --card: #191c23; --ink: #e9ebf0; --soft: #a3abb9; --line: #2c313b; --field: #12151a;
    --edge: #6b7484; --inset: #12151a; --accent: #86a8ff; --accent-ink: #0d1530; --accent-hover: #a5beff;
    --good: #6fd79b; --good-wash: #16301f; --bad: #ff9b93; --bad-wash: #3a1a18; --warn: #f2c069; --warn-wash: #35270f;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%), 0 8px 32px rgb(0 0 0 / 32%);
  }
}
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; padding: 24px 16px; display: flex; flex-direction: column; align-items: center;
  justify-content: center; gap: 20px; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
.brand { display: flex; align-items: center; gap: 8px; font-weight: 600; letter-spacing: -.01em; color: var(--soft); }
.mark { color: var(--accent); }
.card {
  width: 100%; max-width: 520px; padding: 32px; background: var(--card); border: 1px solid var(--line); border-radius: 16px;
  box-shadow: var(--shadow);
}
.foot { max-width: 480px; text-align: center; font-size: 13px; color: var(--soft); }
h1 { margin: 0; font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { margin: 28px 0 8px; font-size: 15px; font-weight: 600; }
p { margin: 8px 0 0; overflow-wrap: anywhere; text-wrap: pretty; }
.lead { color: var(--soft); white-space: pre-line; }
.result { text-align: center; }
.result h1 { margin-top: 16px; text-wrap: balance; }
.result p { text-wrap: balance; }
a { color: var(--accent); text-underline-offset: 3px; }
a:hover { color: var(--accent-hover); }
ol.steps { margin: 0; padding: 0 0 0 22px; }
ol.steps li { margin: 6px 0 0; padding-left: 4px; }
ol.steps li::marker { color: var(--soft); font-variant-numeric: tabular-nums; }
code { font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
.copy {
  display: flex; align-items: center; gap: 8px; margin-top: 8px; padding: 6px 6px 6px 12px; min-height: 44px;
  border: 1px solid var(--line); border-radius: 10px; background: var(--inset); text-align: left;
}
.copy code { flex: 1; user-select: all; }
.copy.large { margin-top: 20px; }
.copy.large code { font-size: 24px; letter-spacing: .08em; }
label { display: block; margin-top: 18px; font-weight: 600; font-size: 15px; }
label .optional { font-weight: 400; color: var(--soft); }
input:not([type="hidden"]) {
  width: 100%; margin-top: 6px; padding: 10px 12px; min-height: 44px; font: inherit; color: var(--ink); background: var(--field);
  border: 1px solid var(--edge); border-radius: 10px;
}
input[aria-invalid="true"] { border-color: var(--bad); }
.copy + p, .copy + ul { margin-top: 18px; }
.advice > :first-child { margin-top: 0; }
.advice ul { margin: 4px 0 0; padding: 0 0 0 20px; }
.advice li { margin: 6px 0 0; padding-left: 2px; overflow-wrap: anywhere; }
.advice li::marker { color: var(--soft); }
.note { margin-top: 6px; font-size: 14px; color: var(--soft); }
form + .note { margin-top: 14px; text-align: center; }
.alert {
  margin-top: 18px; padding: 10px 14px; border-radius: 10px; background: var(--bad-wash); color: var(--bad); font-size: 15px;
}
button {
  display: inline-block; padding: 0 20px; min-height: 44px; font: inherit; font-weight: 600; text-align: center; cursor: pointer;
  border: 1px solid transparent; border-radius: 10px; background: var(--accent); color: var(--accent-ink); transition: background-color .12s;
}
button:hover { background: var(--accent-hover); }
form > button { width: 100%; margin-top: 24px; }
a.button {
  display: block; margin-top: 24px; padding: 10px 20px; border-radius: 10px; font-weight: 600; text-align: center; text-decoration: none;
  background: var(--accent); color: var(--accent-ink);
}
a.button:hover { background: var(--accent-hover); color: var(--accent-ink); }
button.quiet {
  flex: none; min-height: 32px; padding: 0 12px; font-size: 14px; color: var(--accent); background: transparent; border-color: var(--line);
}
button.quiet:hover { background: var(--card); color: var(--accent-hover); }
[hidden] { display: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.sign circle { stroke: none; }
.sign-good circle { fill: var(--good-wash); } .sign-good path { stroke: var(--good); }
.sign-bad circle { fill: var(--bad-wash); } .sign-bad path { stroke: var(--bad); }
.sign-warn circle { fill: var(--warn-wash); } .sign-warn path { stroke: var(--warn); }
.sign-wait circle { fill: var(--inset); } .sign-wait path { stroke: var(--accent); }
dl { margin: 24px 0 0; text-align: left; border-top: 1px solid var(--line); }
dl > div { display: flex; gap: 16px; padding: 10px 0; border-bottom: 1px solid var(--line); }
dl > div:last-child { border-bottom: 0; padding-bottom: 0; }
dt { flex: none; width: 104px; color: var(--soft); }
dd { margin: 0; flex: 1; min-width: 0; overflow-wrap: anywhere; }
ul.scopes { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 6px; }
ul.scopes li { padding: 0 8px; border-radius: 6px; background: var(--inset); border: 1px solid var(--line); max-width: 100%; }
ul.scopes code { font-size: 13px; }
@media (max-width: 480px) { .card { padding: 24px 20px; border-radius: 14px; } dl > div { flex-direction: column; gap: 2px; } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`.trim();

/**
 * The copy buttons, which appear only where scripts run; without a clipboard, the text is selected instead. And a waiting
 * page that checks for its successor: reloading it each time would take the focus away.
 */
export const script = `
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}
if (document.querySelector('[data-waiting]') !== null) {
  const check = async () => {
    try {
      const text = await (await fetch(location.href)).text();
      const next = new DOMParser().parseFromString(text, 'text/html');
      if (next.title !== '' && next.title !== document.title) return location.reload();
    } catch {
      // The daemon is being restarted, or has stopped.
    }
    setTimeout(check, 2000);
  };
  setTimeout(check, 2000);
}
`.trim();

export const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="#2855d1" stroke-width="2.4">' +
  '<circle cx="8" cy="12" r="4.5"/><path d="M12.5 12H22M18.5 12v4" stroke-linecap="round"/></g></svg>';
