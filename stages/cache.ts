import { z } from "zod";
import { type Color, mustGet, onColor, workerState } from "./color";

/** Rows come in while this runs: one that comes between two looks at the same thing spoils them. */
const ATTEMPTS = 10;
const OUTCOMES = ["hit", "miss", "bypass"] as const;

const hourlySchema = z.object({ hours: z.array(z.object({ total: z.number() })) });

interface Question {
	cameraId: number;
	/** The one hour that is asked about. */
	from: Date;
	to: Date;
}

// Asks the colour's service for totals: they must be those of its own database, from memory only when it is live.
void onColor(async (color) => {
	const question = await findQuestion(color);
	const { status } = await color.get(pathOf(question));
	if (status === 501) {
		return "the release has no counting results, so there is nothing to cache";
	}
	const outcomes = await outcomesOf(color, question);
	await assertTotal(color, question);
	const worker = await workerState(color);
	const isKept = outcomes.includes("hit");
	if (worker === "working" && !isKept) {
		throw new Error(`the live colour answered the same question ${ATTEMPTS} times and never from its cache`);
	}
	if (worker === "resting" && outcomes.some((outcome) => outcome !== "bypass")) {
		throw new Error(
			`the idle colour used its cache (${outcomes.join(", ")}): it could serve old totals after a switch`,
		);
	}
	return isKept
		? "totals come from the cache and are those of the database"
		: "the cache is bypassed and totals are those of the database";
});

/** The hour of the first result, where hardly anything changes any more. */
async function findQuestion(color: Color): Promise<Question> {
	const [known] = await color.query<{ present: boolean }>(
		"SELECT to_regclass('public.counting_results') IS NOT NULL AS present",
	);
	const [first] = known?.present
		? await color.query<Question>(
				`SELECT camera_id AS "cameraId", date_trunc('hour', created_at, 'UTC') AS "from",
					date_trunc('hour', created_at, 'UTC') + interval '1 hour' AS "to"
				FROM counting_results ORDER BY id LIMIT 1`,
			)
		: [];
	return (
		first ?? { cameraId: 1, from: new Date("2000-01-01T00:00:00Z"), to: new Date("2000-01-01T01:00:00Z") }
	);
}

function pathOf({ cameraId, from, to }: Question): string {
	return `/counting-results/hourly?cameraId=${cameraId}&from=${from.toISOString()}&to=${to.toISOString()}`;
}

/** The header `x-cache` of each answer to the same question, up to the first that came from the cache. */
async function outcomesOf(color: Color, question: Question): Promise<(typeof OUTCOMES)[number][]> {
	const outcomes: (typeof OUTCOMES)[number][] = [];
	while (outcomes.length < ATTEMPTS && outcomes.at(-1) !== "hit") {
		const { headers } = await mustGet(color, pathOf(question));
		const outcome = z
			.enum(OUTCOMES, {
				error: `the header x-cache is ${headers.get("x-cache")}: it must be one of ${OUTCOMES.join(", ")}`,
			})
			.parse(headers.get("x-cache"));
		outcomes.push(outcome);
	}
	return outcomes;
}

async function assertTotal(color: Color, question: Question): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		const { body } = await mustGet(color, pathOf(question));
		const answered = hourlySchema.parse(body).hours.reduce((sum, { total }) => sum + total, 0);
		const stored = await storedTotal(color, question);
		if (answered === stored) {
			return;
		}
		if (attempt === ATTEMPTS) {
			throw new Error(
				`camera ${question.cameraId} has a total of ${stored} in the database, the service says ${answered}`,
			);
		}
	}
}

async function storedTotal(color: Color, { cameraId, from, to }: Question): Promise<number> {
	const [known] = await color.query<{ present: boolean }>(
		"SELECT to_regclass('public.counting_results') IS NOT NULL AS present",
	);
	if (!known?.present) {
		return 0;
	}
	const [sum] = await color.query<{ total: number }>(
		`SELECT COALESCE(SUM(count_value), 0)::FLOAT8 AS total FROM counting_results
		WHERE camera_id = $1 AND created_at >= $2 AND created_at < $3`,
		[cameraId, from, to],
	);
	return sum?.total ?? 0;
}
