/** How the trial came about: stages of the evaluation, starts on workers, with what tools. */
import { Badge, Card } from "../parts/basics";
import { moment, span } from "../parts/format";
import type { Tone } from "../parts/words";
import type { Attempt, Trial } from "../service/trial";

const STAGES: Record<string, string> = { legality: "legality", estimate: "estimate", accuracy: "accuracy", build: "compile", simulate: "simulate" };
const TONES: Record<string, Tone> = { complete: "good", infeasible: "warn", failed: "bad", done: "good" };

export function Stages({ trial }: { trial: Trial }) {
  const total = trial.stages.reduce((sum, { seconds }) => sum + seconds, 0);
  return (
    <Card title="Stages" note={trial.cached_from === null ? `${span(total)} of work` : "taken from an equal trial"} class="stages">
      <ul>
        {trial.stages.map(({ name, seconds, cache_hit: hit }) => (
          <li key={name}>
            <span>{STAGES[name] ?? name}</span>
            <span class="use-bar">
              <span style={{ width: `${total === 0 ? 0 : Math.max(0.5, (100 * seconds) / total)}%` }} />
            </span>
            <span class="number">{span(seconds)}</span>
            <span class="quiet">{hit ? "from the cache" : ""}</span>
          </li>
        ))}
      </ul>
      {trial.cached_from !== null && (
        <p class="quiet">
          The figures are those of <a href={`/trials/${trial.cached_from}`}>an equal candidate</a> that was evaluated before.
        </p>
      )}
    </Card>
  );
}

/** A reason in its last line, which says what went wrong; where there are more, they unfold. */
function Why({ reason }: { reason: string }) {
  const lines = reason.trim().split("\n");
  const last = lines.at(-1);
  if (lines.length === 1) return <p class="quiet why">{last}</p>;
  return (
    <details class="quiet why">
      <summary>{last}</summary>
      <pre tabIndex={0}>{reason}</pre>
    </details>
  );
}

export function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  if (attempts.length === 0) return null;
  return (
    <Card title="Attempts" note="every start on a worker" class="attempts">
      <ul>
        {attempts.map((one) => (
          <li key={`${one.started_at}${one.purpose}`}>
            <Badge tone={one.outcome === null ? "busy" : (TONES[one.outcome] ?? "quiet")}>{one.outcome ?? "running"}</Badge>
            <span>
              {one.purpose === "sign_off" ? "sign-off" : one.purpose} on <code>{one.worker}</code>
            </span>
            <time class="quiet" dateTime={one.started_at} title={moment(one.started_at)}>
              {new Date(one.started_at).toLocaleTimeString()}
              {one.ended_at !== null && `, ${span((Date.parse(one.ended_at) - Date.parse(one.started_at)) / 1000)}`}
            </time>
            {one.reason !== null && <Why reason={one.reason} />}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function flat(value: unknown): string {
  if (value === null || typeof value !== "object") return String(value);
  return Object.entries(value).map(([key, one]) => `${key} ${flat(one)}`).join(" · ");
}

export function Provenance({ trial }: { trial: Trial }) {
  const entries = Object.entries(trial.provenance);
  return (
    <Card title="Provenance" note="what the figures were made with" class="provenance">
      <dl class="pairs">
        <div>
          <dt>candidate</dt>
          <dd>
            <code>{trial.candidate_hash}</code>
          </dd>
        </div>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{typeof value === "string" && value.startsWith("sha256:") ? <code>{value}</code> : flat(value)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
