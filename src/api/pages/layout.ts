import { Html, html } from './html.ts';

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Whether the page waits for something: it reloads once its title would change. */
  readonly isWaiting?: boolean;
  /** Where the browser goes by itself, at once; without script. */
  readonly leadsTo?: string | undefined;
}

const mark = new Html(
  '<svg class="mark" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">' +
    '<circle cx="8.5" cy="12" r="4.5" fill="none" stroke="currentColor" stroke-width="2"/>' +
    '<path d="M13 12h8M18 12v3.5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg>',
);

/** A complete document: one card, with the product's name above and a note below. */
export function layout(page: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${page.isWaiting === true && html`<noscript><meta http-equiv="refresh" content="3"></noscript>`}
${page.leadsTo !== undefined && html`<meta http-equiv="refresh" content="0; url=${page.leadsTo}">`}
<title>${page.title} · authsome</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css">
<script src="/assets/page.js" defer></script>
</head>
<body>
<header class="brand">${mark}<span>authsome</span></header>
<main class="card"${page.isWaiting === true && html` data-waiting`}>${page.body}</main>
<footer class="foot">This page is served by the authsome daemon on this machine. It loads nothing from elsewhere.</footer>
</body>
</html>
`.text;
}

const glyphs = {
  good: 'M7 12.5l3.4 3.4L17 9',
  bad: 'M8.5 8.5l7 7M15.5 8.5l-7 7',
  wait: 'M12 7.5V12l3 2',
  warn: 'M12 7.5v5.5M12 16.4v.1',
} as const;

/** The round sign above a result's heading; decoration only, since the heading says it in words. */
export function sign(kind: keyof typeof glyphs): Html {
  return html`<svg class="sign sign-${kind}" viewBox="0 0 24 24" width="44" height="44" aria-hidden="true" focusable="false"><circle cx="12" cy="12" r="11"/><path d="${glyphs[kind]}" fill="none" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
}

/** A value to copy, with a button that appears only where the script runs. */
export function copyable(id: string, value: string, what: string, size: 'usual' | 'large' = 'usual'): Html {
  return html`<div class="${size === 'large' ? 'copy large' : 'copy'}"><code id="${id}">${value}</code><button type="button" class="quiet" data-copy="${id}" aria-label="Copy ${what}" hidden>Copy</button></div>`;
}
