/**
 * Leads a client that knows no proxies through the run's: `node through-tunnel.mjs PORT HOST:PORT COMMAND…` listens on
 * this loopback port, gives each connection a CONNECT tunnel of its own to the target, and runs the command beside it.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';

const [port, target, command, ...args] = process.argv.slice(2);
const proxy = new URL(process.env.HTTPS_PROXY);
const authorization = Buffer.from(`${proxy.username}:${proxy.password}`).toString('base64');

const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
  const tunnel = connect({
    host: proxy.hostname,
    port: Number(proxy.port),
    allowHalfOpen: true,
    noDelay: true,
  });
  client.on('error', () => tunnel.destroy());
  tunnel.on('error', () => client.destroy());
  client.on('close', () => tunnel.destroy());
  tunnel.on('close', () => client.destroy());
  tunnel.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${authorization}\r\n\r\n`,
  );
  let head = '';
  tunnel.on('data', function onData(chunk) {
    head += chunk.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    tunnel.off('data', onData);
    if (!head.startsWith('HTTP/1.1 200 ')) {
      console.error(head);
      client.destroy();
      return;
    }
    client.pipe(tunnel);
    tunnel.pipe(client);
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(command, args, { stdio: 'inherit' });
  child.on('error', (error) => {
    console.error(error.message);
    process.exit(127);
  });
  child.on('exit', (code) => process.exit(code ?? 1));
});
