import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseError, Pool } from "pg";
import { type Connection, clientConfig } from "../../../components/database/connection";
import { type Answer, type Operation, operationSchema, perform, RowMissing } from "./operation";

/** Serialization failures, deadlocks and refusals of the write fence: to be tried again. */
const TEMPORARY = new Set(["25006", "40001", "40P01"]);
const KEEP_ALIVE_MS = 75_000;

/** What became of a transaction that was not committed for sure. */
class Failure extends Error {
	constructor(
		/** 503: surely nothing happened, try again; 500: surely nothing happened, and it should have; 504: not known. */
		readonly status: 500 | 503 | 504,
		override readonly cause: unknown,
	) {
		super(cause instanceof Error ? cause.message : String(cause));
	}
}

interface AppOptions {
	/** As the role of the application. */
	database: Connection;
	release: string;
	/** Connections to the database. */
	poolSize?: number;
}

/** A service that does one {@link Operation} per request, as one transaction. Speaks as the deployed service does. */
export class WorkloadApp {
	private readonly pool: Pool;
	private readonly server: Server;

	private constructor(private readonly options: AppOptions) {
		this.pool = new Pool({
			...clientConfig(options.database, { applicationName: `workload ${options.release}` }),
			max: options.poolSize ?? 10,
		});
		this.pool.on("error", () => {});
		this.server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
			this.answer(request).then(
				({ status, body }) => reply(response, status, body),
				(error: unknown) => reply(response, 500, { error: String(error) }),
			);
		});
	}

	static async start(options: AppOptions): Promise<WorkloadApp> {
		const app = new WorkloadApp(options);
		app.server.listen(0, "127.0.0.1");
		await once(app.server, "listening");
		return app;
	}

	get url(): string {
		return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
	}

	/** Lets requests in flight end, then closes the connections to the database. */
	async stop(): Promise<void> {
		const closed = once(this.server, "close");
		this.server.close();
		this.server.closeIdleConnections();
		await closed;
		await this.pool.end();
	}

	private async answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
		const { release } = this.options;
		switch (`${request.method} ${request.url}`) {
			case "GET /healthz":
				return { status: 200, body: { status: "ok", release } };
			case "GET /readyz":
				await this.pool.query("SELECT FROM operations LIMIT 1");
				return { status: 200, body: { status: "ready" } };
			case "GET /version":
				return { status: 200, body: { service: "workload", release } };
			case "POST /op":
				return this.operate(operationSchema.parse(JSON.parse(await bodyOf(request))));
			default:
				return { status: 404, body: { error: "no_such_endpoint" } };
		}
	}

	private async operate(operation: Operation): Promise<{ status: number; body: unknown }> {
		try {
			return { status: 200, body: await this.commit(operation) };
		} catch (error) {
			if (!(error instanceof Failure)) {
				throw error;
			}
			const sqlState = error.cause instanceof DatabaseError ? error.cause.code : undefined;
			return { status: error.status, body: { error: error.message, sqlState } };
		}
	}

	/** @throws Failure */
	private async commit(operation: Operation): Promise<Answer> {
		const client = await this.pool.connect().catch((error: unknown) => {
			throw new Failure(503, error);
		});
		let broken: Error | undefined;
		const noteLoss = (error: Error) => {
			broken = error;
		};
		client.on("error", noteLoss);
		let committing = false;
		try {
			await client.query(`BEGIN ISOLATION LEVEL ${operation.isolation}`);
			const answer = await perform(client, operation);
			committing = true;
			await client.query("COMMIT");
			return answer;
		} catch (error) {
			if (isAnswer(error)) {
				await client.query("ROLLBACK").catch(noteLoss);
				const temporary = error instanceof DatabaseError && TEMPORARY.has(error.code ?? "");
				throw new Failure(temporary ? 503 : 500, error);
			}
			broken ??= error as Error;
			throw new Failure(committing ? 504 : 503, error);
		} finally {
			client.off("error", noteLoss);
			client.release(broken);
		}
	}
}

/** Whether the session lives on after an error: the database has answered, and the transaction can be rolled back. */
function isAnswer(error: unknown): boolean {
	return error instanceof RowMissing || (error instanceof DatabaseError && error.severity === "ERROR");
}

async function bodyOf(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) {
		chunks.push(chunk as Buffer);
	}
	return Buffer.concat(chunks).toString();
}

function reply(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, {
		"content-type": "application/json",
		...(status === 503 && { "retry-after": "1" }),
	});
	response.end(JSON.stringify(body));
}
