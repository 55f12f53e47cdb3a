import type { ClientBase } from "pg";
import { z } from "zod";
import { healthCheckRows } from "../../components/monitoring/status-queries";
import type { HealthCheck } from "../state";
import { TEXT_LENGTH } from "./rows";

const rowSchema = z.object({
	color: z.string().nullable(),
	check: z.string(),
	status: z.string(),
	figure: z.number().nullable(),
	unit: z.string().nullable(),
	detail: z.string().nullable(),
	checkedAt: z.date(),
});

/** The newest result of each check of each colour. */
export async function readChecks(client: ClientBase): Promise<HealthCheck[]> {
	return z
		.array(rowSchema)
		.parse(await healthCheckRows(client))
		.map(({ check, detail, checkedAt, ...others }) => ({
			...others,
			name: check,
			detail: detail?.slice(0, TEXT_LENGTH) ?? null,
			checkedAt: checkedAt.toISOString(),
		}));
}
