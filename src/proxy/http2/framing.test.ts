import { type Case, checkCases } from '../testing/test-http2-cases.ts';
import {
  type Fields,
  Flag,
  frame,
  getFields,
  headers,
  literals,
  preface,
  settings,
  Type,
  uint32,
} from '../testing/test-http2-frames.ts';

const { endStream, endHeaders, padded, priority, ack } = Flag;
const postFields: Fields = getFields.map(([name, value]) => [name, name === ':method' ? 'POST' : value]);
const heldFields: Fields = getFields.map(([name, value]) => [name, name === ':path' ? '/hold' : value]);
const get = headers(1, getFields);
const post = headers(1, postFields, 0);
const held = headers(1, heldFields);
const block = literals(getFields);
const begun = frame(Type.headers, endStream, 1, block);
const data = (text: string, flags = 0, stream = 1) => frame(Type.data, flags, stream, text);
const dependency = (stream: number) => Buffer.concat([uint32(stream), Buffer.from([15])]);

const injected = ['injected'];
const refused = ['MalformedRequest'];
const one = ['GET /'];

/** A connection in error is on record, with the code, where Node tells of it; a request only where there was one. */
// biome-ignore format: a table, one case a line
const frames: readonly Case[] = [
  { name: 'another preface', bare: true, send: [Buffer.from('GET / HTTP/1.1\r\nHost: api.example.test\r\n\r\n')], gets: 'goaway protocol', audit: refused },
  { name: 'a preface without SETTINGS after it', bare: true, send: [preface, get], gets: 'goaway protocol', audit: refused },
  { name: 'DATA on the connection', send: [data('x', 0, 0)], gets: 'goaway protocol' },
  { name: 'HEADERS on the connection', send: [frame(Type.headers, endStream | endHeaders, 0, block)], gets: 'goaway protocol', audit: refused },
  { name: 'PRIORITY on the connection', send: [frame(Type.priority, 0, 0, dependency(0))], gets: 'goaway protocol', audit: refused, newer: { gets: 'goes on | status 200', audit: [] } },
  { name: 'RST_STREAM on the connection', send: [frame(Type.reset, 0, 0, uint32(8))], gets: 'goaway protocol', audit: refused },
  { name: 'SETTINGS on a stream', send: [frame(Type.settings, 0, 1)], gets: 'goaway protocol', audit: refused },
  { name: 'PING on a stream', send: [frame(Type.ping, 0, 1, '12345678')], gets: 'goaway protocol', audit: refused },
  { name: 'GOAWAY on a stream', send: [frame(Type.goaway, 0, 1, Buffer.alloc(8))], gets: 'goaway protocol', audit: refused },
  { name: 'CONTINUATION on the connection', send: [frame(Type.continuation, endHeaders, 0, block)], gets: 'goaway protocol' },
  { name: 'CONTINUATION of nothing', send: [frame(Type.continuation, endHeaders, 1, block)], gets: 'goaway protocol' },
  { name: 'CONTINUATION after the end of a block', send: [held, frame(Type.continuation, endHeaders, 1, block)], gets: 'goaway protocol', upstream: ['GET /hold'], audit: injected },
  { name: 'PUSH_PROMISE from a client', send: [frame(Type.push, endHeaders, 1, Buffer.concat([uint32(2), block]))], gets: 'goaway protocol', audit: refused },
  { name: 'PUSH_PROMISE on an open stream', send: [held, frame(Type.push, endHeaders, 1, Buffer.concat([uint32(2), block]))], gets: 'goaway protocol | closed', upstream: ['GET /hold'], audit: ['injected', ...refused] },
  { name: 'a frame over the limit', send: [post, frame(Type.data, 0, 1, Buffer.alloc(16_385))], gets: 'goaway frameSize', upstream: ['POST / cut'], audit: injected },
  { name: 'HEADERS over the limit', send: [frame(Type.headers, endStream | endHeaders, 1, Buffer.alloc(16_385))], gets: 'goaway frameSize' },
  { name: 'SETTINGS of five bytes', send: [frame(Type.settings, 0, 0, '12345')], gets: 'goaway frameSize' },
  { name: 'an acknowledgment of SETTINGS with a payload', send: [frame(Type.settings, ack, 0, '123456')], gets: 'goaway frameSize' },
  { name: 'PING of six bytes', send: [frame(Type.ping, 0, 0, '123456')], gets: 'goaway frameSize' },
  { name: 'WINDOW_UPDATE of three bytes', send: [frame(Type.windowUpdate, 0, 0, '123')], gets: 'goaway frameSize' },
  { name: 'RST_STREAM of three bytes', send: [held, frame(Type.reset, 0, 1, '123')], gets: 'goaway frameSize', upstream: ['GET /hold'], audit: injected },
  { name: 'PRIORITY of four bytes', send: [frame(Type.priority, 0, 1, '1234')], gets: 'goaway frameSize' },
  { name: 'GOAWAY of four bytes', send: [frame(Type.goaway, 0, 0, '1234')], gets: 'goaway frameSize' },
  { name: 'HEADERS too short for their priority', send: [frame(Type.headers, endStream | endHeaders | priority, 1, '123')], gets: 'goaway frameSize' },
  { name: 'padding longer than DATA', send: [post, frame(Type.data, padded, 1, Buffer.from([9, 65]))], gets: 'goaway protocol', upstream: ['POST / cut'], audit: injected },
  { name: 'padding longer than HEADERS', send: [frame(Type.headers, endStream | endHeaders | padded, 1, Buffer.concat([Buffer.from([255]), block]))], gets: 'goaway protocol' },
  { name: 'a padded frame without its length', send: [post, frame(Type.data, padded, 1)], gets: 'goaway protocol', upstream: ['POST / cut'], audit: injected },
  { name: 'DATA with padding', send: [post, frame(Type.data, padded | endStream, 1, Buffer.from([3, 65, 66, 0, 0, 0]))], gets: 'status 200', upstream: ['POST / "AB"'], audit: injected },
  { name: 'DATA that is all padding', send: [post, frame(Type.data, padded, 1, Buffer.from([3, 0, 0, 0])), data('x', endStream)], gets: 'status 200', upstream: ['POST / "x"'], audit: injected },
  { name: 'HEADERS with padding and priority', send: [frame(Type.headers, endStream | endHeaders | padded | priority, 1, Buffer.concat([Buffer.from([2]), dependency(0), block, Buffer.alloc(2)]))], gets: 'status 200', upstream: one, audit: injected },
  { name: 'a stream that depends on itself', send: [frame(Type.headers, endStream | endHeaders | priority, 1, Buffer.concat([dependency(1), block]))], gets: 'goaway protocol', audit: refused },
  { name: 'PRIORITY of a stream on itself', send: [frame(Type.priority, 0, 1, dependency(1))], gets: 'goaway protocol', newer: { gets: 'goes on | status 200' } },
  { name: 'a frame of an unknown type', send: [frame(0x16, 0xff, 0, 'unknown'), get], gets: 'status 200', upstream: one, audit: injected },
  { name: 'unknown flags', send: [frame(Type.ping, 0x16, 0, '12345678'), headers(1, getFields, endStream | 0xc2)], gets: 'status 200', upstream: one, audit: injected },
  { name: 'the reserved bit of a stream', send: [frame(Type.headers, endStream | endHeaders, 0x80000001, block)], gets: 'status 200', upstream: one, audit: injected },
  { name: 'a length that reaches over the end', send: [frame(Type.headers, endStream | endHeaders, 1, block, block.length + 1), frame(Type.ping, 0, 0, '12345678')], gets: 'goaway compression', audit: refused },
];

// biome-ignore format: a table, one case a line
const streams: readonly Case[] = [
  { name: 'a stream of the server’s numbers', send: [headers(2, getFields)], gets: 'goaway protocol', audit: refused },
  { name: 'a number that was skipped', send: [headers(3, getFields), headers(1, getFields)], gets: 'goes on', next: 5, upstream: one, audit: ['MalformedRequest', 'injected'] },
  { name: 'DATA on an idle stream', send: [data('x')], gets: 'goaway protocol' },
  { name: 'RST_STREAM on an idle stream', send: [frame(Type.reset, 0, 1, uint32(8))], gets: 'goaway protocol', audit: refused },
  { name: 'WINDOW_UPDATE on an idle stream', send: [frame(Type.windowUpdate, 0, 1, uint32(9))], gets: 'goaway protocol', audit: refused },
  { name: 'PRIORITY on an idle stream', send: [frame(Type.priority, 0, 5, dependency(0)), get], gets: 'status 200', next: 3, upstream: one, audit: injected },
  { name: 'HEADERS on a stream that has ended', send: [held, headers(1, getFields)], gets: 'goaway streamClosed | closed', upstream: ['GET /hold'], audit: ['injected', ...refused] },
  { name: 'DATA on a stream that has ended', send: [held, data('x')], gets: 'goaway streamClosed', upstream: ['GET /hold'], audit: injected },
  { name: 'DATA on a stream that was reset', send: [post, frame(Type.reset, 0, 1, uint32(8)), data('x')], gets: 'goes on', upstream: ['POST / cut'], audit: injected },
  { name: 'HEADERS on a stream that was reset', send: [post, frame(Type.reset, 0, 1, uint32(8)), headers(1, getFields)], gets: 'goes on', upstream: ['POST / cut'], audit: injected },
  { name: 'RST_STREAM with an unknown code', send: [post, frame(Type.reset, 0, 1, uint32(0x7777))], gets: 'goes on', upstream: ['POST / cut'], audit: injected },
  { name: 'a block over three frames', send: [frame(Type.headers, endStream, 1, block.subarray(0, 9)), frame(Type.continuation, 0, 1, block.subarray(9, 20)), frame(Type.continuation, endHeaders, 1, block.subarray(20))], gets: 'status 200', upstream: one, audit: injected },
  { name: 'DATA within a block', send: [begun, data('x')], gets: 'goaway protocol', audit: refused },
  { name: 'HEADERS within a block', send: [begun, headers(3, getFields)], gets: 'goaway protocol', audit: refused },
  { name: 'PRIORITY within a block', send: [begun, frame(Type.priority, 0, 1, dependency(0))], gets: 'goaway protocol', audit: refused },
  { name: 'PING within a block', send: [begun, frame(Type.ping, 0, 0, '12345678')], gets: 'goaway protocol', audit: refused },
  { name: 'an unknown frame within a block', send: [begun, frame(0x16, 0, 1, 'x')], gets: 'goaway protocol', audit: refused },
  { name: 'CONTINUATION of another stream', send: [begun, frame(Type.continuation, endHeaders, 3, '')], gets: 'goaway protocol', audit: refused },
];

// biome-ignore format: a table, one case a line
const connection: readonly Case[] = [
  { name: 'ENABLE_PUSH of 2', send: [settings([2, 2])], gets: 'goaway protocol', audit: refused },
  { name: 'INITIAL_WINDOW_SIZE over 2^31-1', send: [settings([4, 0x80000000])], gets: 'goaway flowControl', audit: refused },
  { name: 'MAX_FRAME_SIZE under 2^14', send: [settings([5, 16_383])], gets: 'goaway protocol', audit: refused },
  { name: 'MAX_FRAME_SIZE over 2^24-1', send: [settings([5, 0x1000000])], gets: 'goaway protocol', audit: refused },
  { name: 'ENABLE_CONNECT_PROTOCOL of 2', send: [settings([8, 2])], gets: 'goaway protocol', audit: refused },
  { name: 'an unknown setting', send: [settings([0xff, 7]), get], gets: 'status 200', upstream: one, audit: injected },
  { name: 'a setting twice, the last counts', send: [settings([4, 0x7fffffff], [4, 1]), get], gets: 'status 200', upstream: one, audit: injected },
  { name: 'no room for a table of fields', send: [settings([1, 0]), get], gets: 'status 200', upstream: one, audit: injected },
  { name: 'an increment of 0 for the connection', send: [frame(Type.windowUpdate, 0, 0, uint32(0))], gets: 'goaway protocol', audit: refused },
  { name: 'an increment of 0 for a stream', send: [held, frame(Type.windowUpdate, 0, 1, uint32(0))], gets: 'goaway protocol | closed', upstream: ['GET /hold'], audit: ['injected', ...refused] },
  { name: 'a window over 2^31-1 for the connection', send: [frame(Type.windowUpdate, 0, 0, uint32(0x7fffffff))], gets: 'goaway flowControl', audit: refused },
  { name: 'a window over 2^31-1 for a stream', send: [held, frame(Type.windowUpdate, 0, 1, uint32(0x7fffffff))], gets: 'reset flowControl', last: true, upstream: ['GET /hold'], audit: ['injected', ...refused], newer: { gets: 'goaway flowControl' } },
  { name: 'windows over 2^31-1 by SETTINGS', send: [held, frame(Type.windowUpdate, 0, 1, uint32(0x7fff0000 - 1)), settings([4, 0x7fffffff])], gets: 'reset flowControl', upstream: ['GET /hold'], audit: injected, newer: { gets: 'goaway flowControl' } },
  { name: 'acknowledgments that nobody asked for', send: Array.from({ length: 3 }, () => frame(Type.ping, ack, 0, '12345678')), gets: 'goaway protocol | closed', audit: refused },
  { name: 'GOAWAY, and a request under way', send: [post, frame(Type.goaway, 0, 0, Buffer.alloc(8)), data('x', endStream)], gets: 'status 200', last: true, upstream: ['POST / "x"'], audit: injected },
  { name: 'GOAWAY with an unknown code', send: [post, frame(Type.goaway, 0, 0, Buffer.concat([uint32(0), uint32(0x99)]))], gets: 'goaway none | closed', upstream: ['POST / cut'], audit: injected },
];

/** Node 22.23 takes the process down for it where the session is gone by then. */
const leaving = [post, frame(Type.goaway, 0, 0, Buffer.concat([uint32(0), uint32(2)]))];
const behind = [headers(3, postFields, 0), data('behind', endStream, 3)];
// biome-ignore format: a table, one case a line
checkCases('the end of a connection, and more in the same read', [
  { name: 'a request with a body', bare: true, send: [Buffer.concat([preface, settings(), ...leaving, ...behind])], gets: 'goaway none | goaway internal | closed', last: true, upstream: ['POST / cut'], audit: ['injected', ...refused] },
]);
checkCases('frames (RFC 9113 §4, §6)', frames);
checkCases('streams (RFC 9113 §5)', streams);
checkCases('the connection (RFC 9113 §6.5, §6.7, §6.8, §6.9)', connection);
