import { z } from "zod";
import type { Settings } from "../settings/settings";

/** Where PASS ends. Times in milliseconds unless they say otherwise. */
export const healthLimitsSchema = z.object({
	/** A connection with its first answer that takes this long is a WARNING. */
	slowConnectionMs: z.number(),
	/** An endpoint that takes this long is a WARNING. */
	slowRequestMs: z.number(),
	/** A statement whose mean execution time is this long is a WARNING, or a FAIL. */
	slowStatementMs: z.number(),
	slowStatementFailMs: z.number(),
	/** A link that is this far behind is a WARNING, or a FAIL. */
	lagWarningBytes: z.number(),
	lagWarningSeconds: z.number(),
	lagFailSeconds: z.number(),
	/** Connections in use, of the server's and of the application role's limit. */
	connectionsWarningPercent: z.number(),
	connectionsFailPercent: z.number(),
});

export type HealthLimits = z.infer<typeof healthLimitsSchema>;

export function healthLimits(settings: Settings): HealthLimits {
	return {
		slowConnectionMs: settings.slowConnectionMilliseconds,
		slowRequestMs: settings.slowRequestMilliseconds,
		slowStatementMs: settings.slowStatementMilliseconds,
		slowStatementFailMs: settings.slowStatementFailMilliseconds,
		lagWarningBytes: settings.maxLagKilobytes * 1024,
		lagWarningSeconds: settings.lagWarningSeconds,
		lagFailSeconds: settings.lagFailSeconds,
		connectionsWarningPercent: settings.connectionsWarningPercent,
		connectionsFailPercent: settings.connectionsFailPercent,
	};
}
