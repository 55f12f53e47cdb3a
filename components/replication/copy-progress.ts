/** Milliseconds between two lines of progress. */
const INTERVAL_MS = 2_000;
/** The share that must be done before it says anything about the rest. */
const TELLING_SHARE = 0.05;

/** Tells how far one step of a copy is, at most every two seconds. */
export class CopyProgress {
	private readonly begun = performance.now();
	private readonly timer: NodeJS.Timeout;
	private readonly left = new Map<string, number>();
	private readonly pieces: number;
	private doneWeight = 0;
	private rows = 0;
	private bytes = 0;

	/**
	 * @param done what is told of the finished ones, such as "copied"
	 * @param what what there are many of, such as "tables"
	 * @param work how much there is of each, in bytes where bytes are moved, else in any unit; several entries of one name are parts of the same
	 */
	constructor(
		private readonly done: string,
		private readonly what: string,
		private readonly work: readonly { name: string; weight: number }[],
		log: (line: string) => void,
	) {
		for (const { name } of work) this.left.set(name, (this.left.get(name) ?? 0) + 1);
		this.pieces = this.left.size;
		this.timer = setInterval(() => log(this.line()), INTERVAL_MS);
	}

	moved(rows: number, bytes: number): void {
		this.rows += rows;
		this.bytes += bytes;
	}

	finished({ name, weight }: { name: string; weight: number }): void {
		const left = this.left.get(name)! - 1;
		if (left === 0) this.left.delete(name);
		else this.left.set(name, left);
		this.doneWeight += weight;
	}

	stop(): void {
		clearInterval(this.timer);
	}

	/** Such as `copied 2 of 4 tables, 1200000 rows, 96.1 MB, 48.2 MB/s, about 3 s left`. */
	line(): string {
		const seconds = (performance.now() - this.begun) / 1000;
		const all = this.work.reduce((sum, { weight }) => sum + weight, 0);
		const share = all === 0 ? 0 : Math.min(1, Math.max(this.doneWeight, this.bytes) / all);
		return [
			`${this.done} ${this.pieces - this.left.size} of ${this.pieces} ${this.what}`,
			...(this.bytes > 0
				? [`${this.rows} rows`, `${megabytes(this.bytes)} MB`, `${megabytes(this.bytes / seconds)} MB/s`]
				: []),
			...(share >= TELLING_SHARE ? [`about ${Math.round((seconds * (1 - share)) / share)} s left`] : []),
		].join(", ");
	}
}

function megabytes(bytes: number): string {
	return (bytes / 1e6).toFixed(1);
}
