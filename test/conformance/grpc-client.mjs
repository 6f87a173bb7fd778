/**
 * A gRPC client as an agent would write it, for `node grpc-client.mjs HOST:PORT ROOTS`: one call of each kind, and what came of
 * them as one document. It knows of no proxy but what its environment says.
 */
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';

const [target, roots] = process.argv.slice(2);
const client = new grpc.Client(target, grpc.credentials.createSsl(readFileSync(roots)));
const write = (value) => Buffer.from(value);
const read = (bytes) => bytes.toString();
const outcome = (resolve) => (error, value) => resolve(error === null ? value : [error.code, error.details]);

const unary = (request) =>
  new Promise((resolve) =>
    client.makeUnaryRequest('/test.Echo/unary', write, read, request, outcome(resolve)),
  );

const clientStream = () =>
  new Promise((resolve) => {
    const call = client.makeClientStreamRequest('/test.Echo/clientStream', write, read, outcome(resolve));
    for (let part = 0; part < 100; part += 1) call.write(`${part}`);
    call.end();
  });

async function serverStream() {
  const parts = [];
  const call = client.makeServerStreamRequest('/test.Echo/serverStream', write, read, 'part');
  for await (const part of call) parts.push(part);
  return parts;
}

async function both() {
  const call = client.makeBidiStreamRequest('/test.Echo/both', write, read);
  const echoes = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const echo = new Promise((resolve) => call.once('data', resolve));
    call.write(`turn ${turn}`);
    echoes.push(await echo);
  }
  const status = new Promise((resolve) => call.once('status', resolve));
  call.end();
  return [echoes.length, echoes.at(-1), (await status).code];
}

const document = {
  unary: await Promise.all(Array.from({ length: 20 }, (_, index) => unary(`call ${index}`))),
  failure: await unary('fail'),
  clientStream: await clientStream(),
  serverStream: await serverStream(),
  both: await both(),
};
client.close();
console.log(JSON.stringify(document));
