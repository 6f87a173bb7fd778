import { join } from 'node:path';
import { readIni } from '../syntax/index.ts';
import { endsIn, named, type Reader } from './reader.ts';

const names = ['aws_secret_access_key', 'aws_session_token'];

/** The `credentials` of the AWS tools: keys by profile. They sign requests with the key, so a phantom would sign nothing. */
export const aws: Reader = {
  name: 'aws',
  program: 'aws',
  fits: endsIn('.aws/credentials', '.aws/config'),
  places: (where) => [
    named(where, 'AWS_SHARED_CREDENTIALS_FILE') ?? join(where.home, '.aws', 'credentials'),
    named(where, 'AWS_CONFIG_FILE') ?? join(where.home, '.aws', 'config'),
  ],
  read: (text) =>
    readIni(text)
      .filter(({ key, value }) => names.includes(key.toLowerCase()) && value !== '')
      .map(({ section, key, value, line, start, end }) => ({
        name: key,
        value,
        line,
        start,
        end,
        isReference: false,
        isSecret: true,
        section,
        host: 'amazonaws.com',
      })),
};
