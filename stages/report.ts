/** What a stage finds, as lines of TAP: one per test, with what went wrong below those that did. */
export class Report {
	private tests = 0;
	private failed = 0;

	constructor(private readonly print: (line: string) => void = console.log) {}

	pass(name: string): void {
		this.print(`ok ${this.number()} - ${name}`);
	}

	fail(name: string, detail: string): void {
		this.failed++;
		this.print(`not ok ${this.number()} - ${name}`);
		for (const line of detail.split("\n")) {
			this.print(`  ${line}`);
		}
	}

	/** A test that could not be made is told with the reason: it has not passed. */
	skip(name: string, reason: string): void {
		this.print(`ok ${this.number()} - ${name} # SKIP ${reason}`);
	}

	/** Passes when the work comes to its end, fails with what it throws. Returns whether it passed. */
	async check(name: string, work: () => unknown): Promise<boolean> {
		try {
			await work();
			this.pass(name);
			return true;
		} catch (error) {
			this.fail(name, error instanceof Error ? error.message : String(error));
			return false;
		}
	}

	/** Says how many tests there were. Returns the exit code: a stage that tested nothing has not passed. */
	end(): number {
		this.print(`1..${this.tests}`);
		if (this.failed > 0) {
			this.print(`# ${this.failed} of ${this.tests} tests failed`);
		}
		return this.failed > 0 || this.tests === 0 ? 1 : 0;
	}

	private number(): number {
		this.tests++;
		return this.tests;
	}
}

/** Runs a stage's program and exits with its result; what it throws is told in one line. */
export function runProgram(work: (report: Report) => Promise<void>): void {
	const report = new Report();
	work(report).then(
		() => {
			process.exitCode = report.end();
		},
		(error: unknown) => {
			console.error(error instanceof Error ? error.message : String(error));
			process.exitCode = 1;
		},
	);
}
