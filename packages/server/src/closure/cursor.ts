const shape = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Where a list of cases goes on: promise and id of the last row shown. */
export function closureCursor(row: { readonly promisedAt: Date; readonly caseId: string }): string {
  return `${row.promisedAt.getTime()}.${row.caseId}`;
}

/** Reads a cursor; one that is not ours starts from the top. */
export function cursorAfter(cursor: string | undefined): { promisedAt: Date; caseId: string } | null {
  const match = shape.exec(cursor ?? '');
  return match === null ? null : { promisedAt: new Date(Number(match[1])), caseId: match[2]! };
}
