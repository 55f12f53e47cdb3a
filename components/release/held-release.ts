import { type Color, otherColor } from "../replication/node";
import type { ColorRecord, LastOutputs } from "./color-record";

/** A release as a colour holds it. */
export type HeldRelease = ColorRecord & { color: Color };

/** What the live and the idle colour hold; idle is undefined before the second release. */
export function heldReleases({ live, colors }: LastOutputs): { live: HeldRelease; idle?: HeldRelease } {
	const record = colors[live];
	if (record === undefined) {
		throw new Error(`the stack's outputs name ${live} as the live colour, but say nothing of it`);
	}
	const color = otherColor(live);
	const other = colors[color];
	return { live: { ...record, color: live }, ...(other && { idle: { ...other, color } }) };
}
