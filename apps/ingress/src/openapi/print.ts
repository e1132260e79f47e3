import { openapiDocument } from './document.js';

/** Prints the OpenAPI document for linters and generators: `node dist/openapi/print.js`. */
process.stdout.write(`${JSON.stringify(openapiDocument('https://pay.example'), null, 2)}\n`);
