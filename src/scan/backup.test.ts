import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Backup, contentHash, openBackup, parseBackup, sealBackup } from './backup.ts';

const key = { did: 'did:key:zMine', secret: randomBytes(48) };
const original = Buffer.from('OPENAI_API_KEY=sk-original-value\n');
const rewritten = Buffer.from('OPENAI_API_KEY=sk-phantom\n');
const about = { file: '/home/ada/project/.env', at: '2026-01-02T03:04:05.000Z', set: 's1', mode: 0o640 };
const backup = sealBackup(about, { original, rewritten }, key, randomBytes);

it('gives the original back to the key that sealed it, and to no other', () => {
  expect(openBackup(backup, key)).toEqual(original);
  expect(openBackup(backup, { ...key, secret: randomBytes(48) })).toBeUndefined();
  expect(backup.rewritten).toBe(contentHash(rewritten));
});

it('survives being written and read', () => {
  const read = parseBackup(JSON.parse(JSON.stringify(backup)));
  expect(read === undefined ? undefined : openBackup(read, key)).toEqual(original);
});

it('shows nothing of the original', () => {
  const text = JSON.stringify(backup);
  expect(text).not.toContain('sk-original');
  expect(text).not.toContain(original.toString('base64').slice(0, 16));
});

it.each<Partial<Backup>>([
  { file: '/etc/passwd' },
  { mode: 0o777 },
  { at: '2027-01-01T00:00:00.000Z' },
  { rewritten: contentHash(original) },
  { sealed: backup.sealed.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')).replace(/^./, 'A') },
  { sealed: '' },
])('does not open once something about it was altered: %j', (change) => {
  expect(openBackup({ ...backup, ...change }, key)).toBeUndefined();
});

it.each([null, 'text', {}, { ...backup, v: 2 }, { ...backup, mode: '420' }])(
  'takes %j for no backup',
  (document) => {
    expect(parseBackup(document)).toBeUndefined();
  },
);
