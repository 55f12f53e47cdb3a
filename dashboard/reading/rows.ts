/** Longer texts are cut in the catalog already; what a page shows of an error needs no more. */
export const TEXT_LENGTH = 4000;

/** A moment in ISO 8601, as it goes to the page. */
export function moment(value: Date | null): string | null {
	return value?.toISOString() ?? null;
}

/** A whole number that PostgreSQL hands over as text. */
export function whole(value: string | null): number | null {
	return value === null ? null : Number(value);
}
