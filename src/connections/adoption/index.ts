/** Takes over the sign-in that a program has made by itself, from the file where the program keeps it. */
export { type Adopted, type AdoptionRequest, adopt } from './adopt.ts';
