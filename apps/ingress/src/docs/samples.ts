import { escapeHtml } from '@replenish/runtime';
import { csharpHttpclient } from '@scalar/snippetz/plugins/csharp/httpclient';
import { goNative } from '@scalar/snippetz/plugins/go/native';
import { javaNethttp } from '@scalar/snippetz/plugins/java/nethttp';
import { nodeFetch } from '@scalar/snippetz/plugins/node/fetch';
import { phpCurl } from '@scalar/snippetz/plugins/php/curl';
import { pythonRequests } from '@scalar/snippetz/plugins/python/requests';
import { shellCurl } from '@scalar/snippetz/plugins/shell/curl';
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import csharp from 'highlight.js/lib/languages/csharp';
import go from 'highlight.js/lib/languages/go';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import xml from 'highlight.js/lib/languages/xml';

const languages = { bash, csharp, go, java, javascript, json, php, python, xml };
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);

/** A block of code that can be scrolled by keyboard. It is coloured if the language is one of those above. */
export function highlighted(text: string, language: string): string {
  const html = hljs.getLanguage(language) ? hljs.highlight(text, { language }).value : escapeHtml(text);
  return `<pre tabindex="0"><code>${html}</code></pre>`;
}

export type SampleCall = Readonly<{
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}>;

/** Languages in the order of their tabs: name, generator of the code, language of the colours. */
const printers = [
  ['Shell', shellCurl, 'bash'],
  ['Node.js', nodeFetch, 'javascript'],
  ['Python', pythonRequests, 'python'],
  ['Java', javaNethttp, 'java'],
  ['Go', goNative, 'go'],
  ['PHP', phpCurl, 'php'],
  ['C#', csharpHttpclient, 'csharp'],
] as const;

/** The call in each language, as blocks that fold without a script. The first one is open. */
export function samples({ method, url, headers, body }: SampleCall, group: string): string {
  const request = {
    method,
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    ...(body !== undefined && { postData: { mimeType: 'application/json', text: body } }),
  };
  const blocks = printers.map(([name, { generate }, colours], nth) => {
    const text = highlighted(generate(request), colours);
    return `<details name="${group}"${nth === 0 ? ' open' : ''}><summary>${name}</summary>${text}</details>`;
  });
  return `<div class="samples">${blocks.join('')}</div>`;
}
