import { z } from "zod";

/** With seconds or without, but with a zone: what was at eight o'clock depends on where. */
const momentSchema = z.union([
	z.iso.datetime({ offset: true }),
	z.iso.datetime({ offset: true, precision: -1 }),
]);

/**
 * Reads a time that the history is asked for.
 *
 * @throws Error telling what is wrong with it, and how it is given
 */
export function askedTime(text: string, now: Date): Date {
	const example = `${now.getUTCFullYear()}-01-31T08:00Z or ${now.getUTCFullYear()}-01-31T15:00+07:00`;
	const time = new Date(text);
	if (!momentSchema.safeParse(text).success || Number.isNaN(time.getTime())) {
		throw new Error(
			`'${text}' is not a time: give day, time and zone as ISO 8601 has them, such as ${example}`,
		);
	}
	if (time > now) {
		throw new Error(`${text} is still to come: give a time that has passed`);
	}
	return time;
}
