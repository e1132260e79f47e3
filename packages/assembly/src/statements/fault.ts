/** A statement that cannot be read. The message names the line of the file and the column. */
export class StatementFault extends Error {
  override readonly name = 'StatementFault';
}
