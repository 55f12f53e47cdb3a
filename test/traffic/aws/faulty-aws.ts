import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
	/** The action of a call in the query protocol, or the target of one in the JSON protocol. */
	action: string;
	body: string;
}

export type Answer = { status: number; body: string } | "none";

/**
 * A stand-in for AWS that answers as it is told to: with what moto does not do, such as targets that become healthy one
 * by one, too many requests, or no answer at all.
 */
export class FaultyAws {
	readonly asked: Asked[] = [];

	private constructor(
		private readonly server: Server,
		readonly endpoint: string,
	) {}

	static async start(answer: (asked: Asked, count: number) => Answer): Promise<FaultyAws> {
		const server = createServer();
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const aws = new FaultyAws(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
		server.on("request", (request, response) => void aws.reply(request, response, answer));
		return aws;
	}

	private async reply(
		request: IncomingMessage,
		response: ServerResponse,
		answer: (asked: Asked, count: number) => Answer,
	): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request) {
			chunks.push(chunk as Buffer);
		}
		const body = Buffer.concat(chunks).toString("utf8");
		const target = request.headers["x-amz-target"] ?? new URLSearchParams(body).get("Action");
		const asked = { action: String(target), body };
		this.asked.push(asked);
		const reply = answer(asked, this.asked.length);
		if (reply === "none") {
			request.socket.destroy();
			return;
		}
		const isJson = reply.body.startsWith("{");
		response.writeHead(reply.status, { "content-type": isJson ? "application/x-amz-json-1.0" : "text/xml" });
		response.end(reply.body);
	}

	async stop(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}
}

/** An error as services with the query protocol tell it. */
export function fault(status: number, code: string, message: string): Answer {
	return {
		status,
		body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
	};
}

/** The answer to DescribeTargetHealth. */
export function targetHealth(...targets: { id: string; state: string; reason?: string }[]): Answer {
	const members = targets.map(
		({ id, state, reason }) =>
			`<member><Target><Id>${id}</Id><Port>8080</Port></Target><TargetHealth><State>${state}</State>` +
			`${reason === undefined ? "" : `<Reason>${reason}</Reason>`}</TargetHealth></member>`,
	);
	return {
		status: 200,
		body:
			`<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions>${members.join("")}` +
			"</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>",
	};
}

/** The answer to DescribeListeners and to ModifyListener. */
export function listener(action: "Describe" | "Modify", weights: Record<string, number>): Answer {
	const name = action === "Describe" ? "DescribeListeners" : "ModifyListener";
	const groups = Object.entries(weights).map(
		([arn, weight]) => `<member><TargetGroupArn>${arn}</TargetGroupArn><Weight>${weight}</Weight></member>`,
	);
	return {
		status: 200,
		body:
			`<${name}Response><${name}Result><Listeners><member><DefaultActions><member><Type>forward</Type><ForwardConfig>` +
			`<TargetGroups>${groups.join("")}</TargetGroups></ForwardConfig></member></DefaultActions></member></Listeners>` +
			`</${name}Result></${name}Response>`,
	};
}
