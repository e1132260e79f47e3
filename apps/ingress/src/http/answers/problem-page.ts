import { escapeHtml, pageHead, pageHeader } from '@replenish/runtime';

export type ProblemBody = Readonly<{
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  correlationId: string;
}>;

/** A problem as a page, for a person who opened the address in a browser. It has the words of the other forms. */
export const problemPage = ({
  type,
  title,
  status,
  detail,
  code,
  correlationId,
}: ProblemBody): string => `<!doctype html>
<html lang="en">
<head>
${pageHead(`${status} ${title}`)}
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
${pageHeader('/docs', 'API')}
<main class="problem">
<div class="text">
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(detail)}</p>
<dl>
<dt>HTTP status</dt><dd>${status}</dd>
<dt>Code</dt><dd><a href="${escapeHtml(type)}">${escapeHtml(code)}</a></dd>
<dt>Correlation id</dt><dd><code>${escapeHtml(correlationId)}</code></dd>
</dl>
<p>This address belongs to an API for programs. <a href="/docs">The documentation</a> shows how to call it.</p>
</div>
</main>
</body>
</html>
`;
