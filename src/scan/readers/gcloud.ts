import { join } from 'node:path';
import { readJsonStrings } from '../syntax/index.ts';
import { configHome, endsIn, named, type Reader } from './reader.ts';

const fields = ['refresh_token', 'private_key'];

/** Google's application default credentials: a refresh token, or the private key of a service account. */
export const gcloud: Reader = {
  name: 'gcloud',
  program: 'gcloud',
  format: 'JSON',
  fits: endsIn('application_default_credentials.json'),
  places: (where) => {
    const own = named(where, 'GOOGLE_APPLICATION_CREDENTIALS');
    const appData = named(where, 'APPDATA');
    const directories = [
      named(where, 'CLOUDSDK_CONFIG') ?? join(configHome(where), 'gcloud'),
      ...(appData === undefined ? [] : [join(appData, 'gcloud')]),
    ];
    return [
      ...(own === undefined ? [] : [own]),
      ...directories.map((directory) => join(directory, 'application_default_credentials.json')),
    ];
  },
  read: (text) =>
    readJsonStrings(text)
      ?.filter(({ path, value }) => fields.includes(path.at(-1) ?? '') && value !== '')
      .map(({ path, value, line, start, end }) => ({
        name: path.at(-1) ?? '',
        value,
        line,
        start,
        end,
        isReference: false,
        isSecret: true,
        section: path.join('/'),
        // It gets access tokens there, and is sent to no API.
        host: 'oauth2.googleapis.com',
      })),
};
