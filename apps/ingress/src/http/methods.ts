import type { RequestHandler } from 'express';
import { answerNothing } from './answers/answer.js';
import { Problem } from './answers/problem.js';
import { addHeader } from './answers/send.js';

/**
 * The last handler of each route. A method that the route does not have is answered 405 with Allow (RFC 9110,
 * 15.5.6). OPTIONS is answered with Allow and without CORS headers, so browsers let no other site read our answers.
 */
export const otherMethods: RequestHandler = (request, response) => {
  const { methods } = request.route as { methods: Readonly<Record<string, boolean>> };
  const names = Object.keys(methods).filter((method) => method !== '_all');
  const allow = [...names, ...(methods.get ? ['head'] : []), 'options'].join(', ').toUpperCase();
  if (request.method !== 'OPTIONS')
    throw new Problem('INVALID_ARGUMENT', `${request.method} is not possible here; possible are ${allow}`, {
      status: 405,
      headers: { allow },
    });
  addHeader(response, 'allow', allow);
  answerNothing(response);
};
