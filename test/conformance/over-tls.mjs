/**
 * Preloaded into the conformance suite. Its servers speak plain HTTP, over which authsome sends no credential: here
 * the same servers speak TLS, and the addresses that they tell say so. The certificate and its key come from
 * the files in CONFORMANCE_CERT and CONFORMANCE_KEY.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { register, syncBuiltinESMExports } from 'node:module';

const credentials = {
  cert: readFileSync(process.env.CONFORMANCE_CERT, 'utf8'),
  key: readFileSync(process.env.CONFORMANCE_KEY, 'utf8'),
};
http.createServer = (...given) => {
  const listener = given.find((one) => typeof one === 'function');
  return https.createServer(credentials, listener);
};
syncBuiltinESMExports();

/** As text, because module hooks live in a thread of their own. */
const hooks = `
export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith('/@modelcontextprotocol/conformance/dist/index.js')) return loaded;
  const source = String(loaded.source)
    .replaceAll('\`http://localhost:', '\`https://localhost:')
    // Node 20 has no such export; what uses it is no part of a run.
    .replace(/\\bglobSync as \\w+,/, '');
  return { ...loaded, source };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
