import { readFileSync } from 'node:fs';
import { BadConfiguration, type Config, type TlsOptions } from '@replenish/runtime';
import { serverLimits } from './server.js';

type TlsSettings = Pick<Config, 'TLS_CERT_FILE' | 'TLS_KEY_FILE' | 'TLS_CLIENT_CA_FILE'>;

/** The settings of TLS. Null when the ingress speaks plain HTTP. @throws BadConfiguration */
export function tlsOptions(config: TlsSettings): TlsOptions | null {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: ca } = config;
  if (!cert && !key && !ca) return null;
  if (!cert || !key) throw new BadConfiguration('TLS_CERT_FILE and TLS_KEY_FILE go together: set both');
  const read = (name: string, file: string) => readPem(name, file);
  return {
    cert: read('TLS_CERT_FILE', cert),
    key: read('TLS_KEY_FILE', key),
    minVersion: 'TLSv1.2',
    // A handshake may take as long as the headers. Node's default of two minutes lets unfinished handshakes hold
    // connections.
    handshakeTimeout: serverLimits.headersTimeout!,
    // The certificate is requested and not required. `admitting` requires it per call. Webhooks and health checks need
    // none.
    ...(ca && { ca: read('TLS_CLIENT_CA_FILE', ca), requestCert: true, rejectUnauthorized: false }),
  };
}

function readPem(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new BadConfiguration(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
