/** How the service fares: parts, workers, queue, caches, why trials come to nothing. */
import { Badge, Card, Empty, Skeleton } from "../parts/basics";
import { Failure } from "../parts/failure";
import { ago, count, figure, moment } from "../parts/format";
import { Icon } from "../parts/icons";
import { type Health, type Load, readHealth, type Ready, type Version, type Worker } from "../service/health";
import { usePolled } from "../service/poll";

const EVERY_MS = 3_000;

function Parts({ ready }: { ready: Ready }) {
  return (
    <ul class="parts">
      {(["database", "broker", "workers"] as const).map((name) => {
        const good = ready[name] === "ok";
        return (
          <li key={name} class={`card part-state ${good ? "is-good" : "is-bad"}`}>
            <Icon name={good ? "check" : "warning"} size={20} />
            <span>
              <b>{name}</b>
              <span>{ready[name]}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function WorkerRow({ worker: { id, queues, heard_at: heard, info } }: { worker: Worker }) {
  const tools = Object.entries(info.tools ?? {});
  return (
    <li>
      <div class="worker-head">
        <Badge tone="good">heard {ago(heard, Date.now())}</Badge>
        <b title={moment(heard)}>{id}</b>
        <span class="quiet">serves {queues.join(", ")}</span>
        {info.slots != null && <span class="quiet">{count(info.slots, "slot")}</span>}
        {info.sandbox?.mode != null && <Badge tone={info.sandbox.mode === "namespaces" ? "good" : "warn"}>sandbox: {info.sandbox.mode}</Badge>}
      </div>
      {tools.length > 0 && (
        <ul class="chips">
          {tools.map(([tool, version]) => (
            <li key={tool} class={`chip${version === null ? " missing" : ""}`}>
              {tool} <b>{version ?? "missing"}</b>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Workers({ workers }: { workers: readonly Worker[] }) {
  return (
    <Card title="Workers" note={count(workers.length, "worker")} class="workers">
      {workers.length === 0 ? (
        <Empty title="No worker was heard in the last seconds">
          <p>
            Jobs wait until one is. <code>headrace serve</code> starts them with the service.
          </p>
        </Empty>
      ) : (
        <ul class="stack">
          {workers.map((worker) => (
            <WorkerRow key={worker.id} worker={worker} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Queue({ queue }: { queue: Load["queue"] }) {
  const facts: [string, number, string][] = [
    ["Trials running", queue.trials_running, queue.slots > 0 ? `of ${count(queue.slots, "slot")}` : "no slot"],
    ["Trials waiting", queue.trials_waiting, "that nobody has started"],
    ["Messages", queue.messages_waiting, "that the broker has not taken"],
  ];
  const jobs = Object.entries(queue.jobs).filter(([, number]) => number > 0);
  return (
    <Card title="Queue" class="queue">
      <dl class="facts">
        {facts.map(([name, value, note]) => (
          <div key={name} class="fact">
            <dt>{name}</dt>
            <dd>
              {figure(value)}
              <span class="fact-note">{note}</span>
            </dd>
          </div>
        ))}
      </dl>
      <ul class="chips">
        {jobs.map(([state, number]) => (
          <li key={state} class="chip">
            {state} <b>{number}</b>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Caches({ cache }: { cache: Load["cache"] }) {
  const share = (hits: number, ran: number): number => (ran === 0 ? 0 : (100 * hits) / ran);
  return (
    <Card title="Caches" note={`over the newest ${count(cache.trials, "trial")}`} class="caches">
      <p class="big">
        {cache.hit_rate === null ? "–" : `${Math.round(100 * cache.hit_rate)} %`}
        <span>of all stages were answered by a cache; {count(cache.stored_answers, "trial")} as a whole</span>
      </p>
      <ul class="bars">
        {Object.entries(cache.stages).map(([name, { ran, hits }]) => (
          <li key={name}>
            <span>{name}</span>
            <span class="use-bar">
              <span style={{ width: `${share(hits, ran)}%` }} />
            </span>
            <span class="number">
              {figure(hits)} of {figure(ran)}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Reasons({ reasons }: { reasons: Load["reasons"] }) {
  const most = Math.max(1, ...reasons.map(({ count: number }) => number));
  return (
    <Card title="Why trials come to nothing" note="of the newest 500" class="reasons">
      {reasons.length === 0 ? (
        <Empty title="None has" />
      ) : (
        <ul class="bars">
          {reasons.map(({ state, reason, count: number }) => (
            <li key={`${state} ${reason}`} class={`reason is-${state}`}>
              <span>
                <Badge tone={state === "failed" ? "bad" : "warn"}>{state}</Badge> {reason}
              </span>
              <span class="use-bar">
                <span class={`fill-${state}`} style={{ width: `${(100 * number) / most}%` }} />
              </span>
              <span class="number">{figure(number)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Versions({ version }: { version: Version }) {
  return (
    <Card title="Versions" class="versions">
      <ul class="chips">
        <li class="chip">
          headrace <b>{version.version}</b>
        </li>
        <li class="chip">
          python <b>{version.python}</b>
        </li>
        <li class="chip">
          schema <b>{version.schema_revision}</b>
        </li>
        {Object.entries(version.packages).map(([name, found]) => (
          <li key={name} class="chip">
            {name} <b>{found}</b>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Body({ health: { ready, version, load } }: { health: Health }) {
  return (
    <div class="stack">
      <Parts ready={ready} />
      {load !== null && (
        <div class="two">
          <Queue queue={load.queue} />
          <Caches cache={load.cache} />
        </div>
      )}
      <Workers workers={version.workers} />
      {load !== null && <Reasons reasons={load.reasons} />}
      <Versions version={version} />
    </div>
  );
}

export default function HealthPage() {
  const { value, error, again } = usePolled(readHealth, EVERY_MS, "");
  const health = value.value;
  if (health === null && error.value !== null) return <Failure error={error.value} retry={again} />;
  return (
    <div class="page">
      <div class="page-head">
        <div class="job-title">
          <h1 tabIndex={-1}>Health</h1>
          {health !== null && <Badge tone={health.ready.ready ? "good" : "bad"}>{health.ready.ready ? "jobs run" : "jobs would not run now"}</Badge>}
        </div>
      </div>
      {health !== null && error.value !== null && <p class="stale-note" role="status">{error.value.message}</p>}
      {health === null ? <Skeleton lines={4} /> : <Body health={health} />}
    </div>
  );
}
