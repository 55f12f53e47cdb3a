import type { Notification } from "./webhook";

/** What a notification tells. */
export interface DeploymentEvent {
	deploymentId: number;
	/** What the catalog calls the stack's deployments. */
	name: string;
	environment: string;
	release: string;
	/** `running` when it has started. */
	status: "running" | "completed" | "failed" | "rolled_back";
	error: string | null;
	/** When this was so, in ISO 8601. */
	at: string;
	/** The following are null when the catalog could not be asked. */
	triggeredBy: string | null;
	commit: string | null;
	branch: string | null;
	seconds: number | null;
	rollback: { type: string; reason: string; from: string | null; to: string | null; status: string } | null;
}

export type NotificationFormat = "generic" | "slack";

export type EventType =
	| "deployment.started"
	| "deployment.succeeded"
	| "deployment.failed"
	| "deployment.rolled_back";

/** A release that was put back has succeeded as an update; what it is to whoever is told is a rollback. */
export function eventType({ status, rollback }: DeploymentEvent): EventType {
	if (status === "rolled_back" || (status === "completed" && rollback?.status === "completed")) {
		return "deployment.rolled_back";
	}
	const types = {
		running: "deployment.started",
		completed: "deployment.succeeded",
		failed: "deployment.failed",
	} as const;
	return types[status];
}

/** The message for a receiver. Its id is the same for each attempt at delivering it. */
export function notificationOf(event: DeploymentEvent, format: NotificationFormat): Notification {
	const type = eventType(event);
	const { at, ...data } = event;
	const content =
		format === "slack" ? { text: slackText(type, event) } : { type, timestamp: at, data: { ...data } };
	return { id: `${event.name}-${event.deploymentId}-${type}`, body: JSON.stringify(content) };
}

const WORDS: Record<EventType, string> = {
	"deployment.started": "has started",
	"deployment.succeeded": "is live",
	"deployment.failed": "failed",
	"deployment.rolled_back": "was rolled back",
};

function slackText(type: EventType, event: DeploymentEvent): string {
	const { environment, name, release, deploymentId, triggeredBy, seconds, error, rollback } = event;
	const isPutBack = type === "deployment.rolled_back" && event.status === "completed";
	const what = isPutBack
		? `went back from release ${rollback?.from ?? "?"} to ${release}`
		: `release ${release} ${WORDS[type]}`;
	const after = seconds === null || type === "deployment.started" ? "" : ` after ${Math.round(seconds)} s`;
	const by = triggeredBy === null ? "" : `, started by ${escapeSlack(triggeredBy)}`;
	const why = isPutBack ? rollback?.reason : (error ?? rollback?.reason);
	const head = `*${environment}* ${name}: ${what}${after} (deployment ${deploymentId}${by})`;
	return why === undefined ? head : `${head}\n> ${escapeSlack(why).replaceAll("\n", "\n> ")}`;
}

/** Else Slack would take a text for a link or a mention. */
function escapeSlack(text: string): string {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
