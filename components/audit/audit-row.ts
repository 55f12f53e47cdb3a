import { createHash } from "node:crypto";
import { z } from "zod";

/** A row of the audit log, each column as the text that its hash is made of. */
export const auditRowSchema = z.object({
	id: z.coerce.number().int(),
	/** UTC, to the microsecond. */
	recordedAt: z.string(),
	recordedBy: z.string(),
	kind: z.string(),
	/** JSON as the server writes it. */
	event: z.string(),
	previousHash: z.string(),
	hash: z.string(),
});

export type AuditRow = z.infer<typeof auditRowSchema>;

/** What the first row has in place of the hash of the one before it. */
export const BEGINNING = "0".repeat(64);

/** The hash that a row must have, by what it says. */
export function hashOf({ previousHash, id, recordedAt, recordedBy, kind, event }: AuditRow): string {
	return createHash("sha256")
		.update([previousHash, id, recordedAt, recordedBy, kind, event].join("\n"))
		.digest("hex");
}
