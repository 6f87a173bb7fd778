/**
 * A script for the child of a run: `script HOST PATH`. It asks for the path over the run's proxy, in both forms of target, and
 * prints the status and the body of each response.
 */
export const bothForms = `
const { connect } = require('node:net');
const { connect: connectTls } = require('node:tls');
const proxy = new URL(process.env.HTTPS_PROXY);
const token = Buffer.from(proxy.username + ':' + proxy.password).toString('base64');
const [host, path] = process.argv.slice(2);
const open = (line, name) => new Promise((resolve) => {
  const socket = connect(Number(proxy.port), proxy.hostname);
  socket.once('data', (data) => resolve([socket, data.toString()]));
  socket.write(line + ' HTTP/1.1\\r\\nHost: ' + name + '\\r\\nProxy-Authorization: Basic ' + token + '\\r\\n\\r\\n');
});
const shown = (form, text) => console.log(form, text.split('\\r\\n')[0].split(' ')[1], text.split('\\r\\n\\r\\n')[1] ?? '');
(async () => {
  const [first, absolute] = await open('GET https://' + host + path, host);
  first.destroy();
  shown('absolute', absolute);
  const [socket, answer] = await open('CONNECT ' + host + ':443', host + ':443');
  if (!answer.startsWith('HTTP/1.1 200')) return shown('connect', answer);
  const tls = connectTls({ socket, servername: host, rejectUnauthorized: false });
  tls.write('GET ' + path + ' HTTP/1.1\\r\\nHost: ' + host + '\\r\\n\\r\\n');
  tls.once('data', (data) => { shown('connect', data.toString()); tls.destroy(); });
})();
`;
