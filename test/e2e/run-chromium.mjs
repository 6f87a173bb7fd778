/** A program of a run that drives Chromium, as an agent's browser tool does. Prints what the page met. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [executablePath, web, stranger, mode] = process.argv.slice(2);
const { protocol, host, username, password } = new URL(process.env.HTTPS_PROXY);

// Chromium on Linux reads no file of certificates: what it is to trust goes into its own database, in the home.
const database = `${process.env.HOME}/.pki/nssdb`;
mkdirSync(database, { recursive: true });
for (const [name, file] of Object.entries({
  run: process.env.NODE_EXTRA_CA_CERTS,
  stranger: process.env.STRANGER_CA,
})) {
  const { status, stderr } = spawnSync(
    'certutil',
    ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', name, '-i', file],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
}

const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-background-networking'],
  ...(mode === 'env' ? {} : { proxy: { server: `${protocol}//${host}`, username, password } }),
});
const context = await browser.newContext();
const page = await context.newPage();
try {
  await page.goto(`https://${web}/`);
  const met = await page.evaluate(async (elsewhere) => {
    const answer = await (await fetch('/fetch', { headers: { authorization: 'Bearer of-the-page' } })).text();
    const events = await new Promise((resolve, reject) => {
      const source = new EventSource('/events');
      const seen = [];
      source.onmessage = ({ data }) => {
        seen.push(data);
        if (seen.length === 3) {
          source.close();
          resolve(seen);
        }
      };
      source.onerror = () => reject(new Error('no events'));
    });
    const echo = await new Promise((resolve, reject) => {
      const socket = new WebSocket(`wss://${location.host}/socket`);
      socket.onopen = () => socket.send('over the socket');
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = () => reject(new Error('no socket'));
    });
    const other = await (await fetch(`https://${elsewhere}/fetch`)).text();
    return { answer, events, echo, other };
  }, stranger);
  console.log(JSON.stringify(met));
} catch (error) {
  console.log(JSON.stringify({ error: error.message.split('\n')[0] }));
}
await browser.close();
