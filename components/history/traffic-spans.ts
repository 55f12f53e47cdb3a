import type { RecordedDeployment } from "./recorded-release";
import type { TrafficNote, TrafficRecord } from "./traffic-record";

/** A time in which a deployment's release had the traffic. */
export interface TrafficSpan {
	deployment: number;
	release: string;
	/** In ISO 8601. */
	since: string;
	/** In ISO 8601; null while it has it. */
	until: string | null;
	/**
	 * How its beginning is known.
	 *
	 * - `switch`: the audit log has the moment.
	 * - `end`: in place, where it is the end of the deployment.
	 * - `unrecorded switch`: the audit log does not have the switch, which was before that end.
	 */
	toldBy: "switch" | "end" | "unrecorded switch";
}

/**
 * When each deployment's release had the traffic: from its switch on, where the audit log has that, whatever became of
 * the deployment; else from the end of a deployment that was completed.
 *
 * @param deployments newest first
 * @returns oldest first
 */
export function trafficSpans(
	deployments: readonly RecordedDeployment[],
	{ hasColors, notes }: TrafficRecord,
): TrafficSpan[] {
	const walk = new TrafficWalk(deployments);
	const ends = deployments
		.filter(({ status, endedAt }) => status === "completed" && endedAt !== null)
		.map((each) => ({ at: each.endedAt ?? "", take: () => walk.end(each, hasColors) }))
		.reverse();
	// What is noted in the course of a deployment comes before its end, also within one millisecond.
	const events = [...notes.map((note) => ({ at: note.at, take: () => walk.note(note) })), ...ends];
	for (const { take } of events.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))) {
		take();
	}
	return walk.spans;
}

type Brought = Pick<RecordedDeployment, "deployment" | "release">;

class TrafficWalk {
	readonly spans: TrafficSpan[] = [];
	/** What came last to each colour's database. */
	private readonly brought = new Map<string | null, Brought>();

	constructor(private readonly deployments: readonly RecordedDeployment[]) {}

	note(note: TrafficNote): void {
		const { database, at, found } = note;
		const owner = found ? this.ownerOfFound(note) : this.ownerOf(note);
		if (owner === undefined) {
			return;
		}
		this.brought.set(database, owner);
		if (owner.release !== this.spans.at(-1)?.release) {
			this.give(owner, at, found ? "unrecorded switch" : "switch");
		}
	}

	end(deployment: RecordedDeployment, hasColors: boolean): void {
		if (deployment.release !== this.spans.at(-1)?.release) {
			this.give(deployment, deployment.endedAt ?? "", hasColors ? "unrecorded switch" : "end");
		}
	}

	/** The traffic goes to the release of the deployment that is under way, or back to what the colour has had before. */
	private ownerOf({ at, database, wentBack }: TrafficNote): Brought | undefined {
		return wentBack
			? (this.brought.get(database) ?? this.spans.at(-2))
			: this.deployments.find(({ startedAt }) => startedAt !== null && new Date(startedAt) <= new Date(at));
	}

	/** An update that died may have moved the traffic to a release that no deployment was completed with. */
	private ownerOfFound({ release, at }: TrafficNote): Brought | undefined {
		const last = this.spans.at(-1);
		return release === null || release === last?.release
			? last
			: this.deployments.find(
					(each) =>
						each.release === release && each.startedAt !== null && new Date(each.startedAt) <= new Date(at),
				);
	}

	private give({ deployment, release }: Brought, since: string, toldBy: TrafficSpan["toldBy"]): void {
		const last = this.spans.at(-1);
		if (last !== undefined) {
			last.until = since;
		}
		this.spans.push({ deployment, release, since, until: null, toldBy });
	}
}
