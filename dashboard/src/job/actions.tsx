/** What a user can do with a job: each asks first, and says what it does. */
import { go } from "../app/router";
import { Button } from "../parts/basics";
import { ask, type Question } from "../parts/dialog";
import { Icon, type IconName } from "../parts/icons";
import { tell } from "../parts/notices";
import { call } from "../service/client";
import { type Job, type JobState, TERMINAL } from "../service/types";

interface Action {
  name: string;
  icon: IconName;
  states: readonly JobState[];
  question: (job: Job) => Omit<Question, "onAct" | "act">;
  act: (job: Job, value: number) => Promise<unknown>;
  done: string;
  danger?: boolean;
}

const steer = (verb: string) => (job: Job) => call(`/v1/jobs/${job.id}/${verb}`, { method: "POST" });
const ENDED = [...TERMINAL];

const ACTIONS: readonly Action[] = [
  {
    name: "Pause",
    icon: "pause",
    states: ["queued", "running"],
    question: () => ({ title: "Pause this job?", text: "No further trial is started until you resume it. What runs goes on to its end.", danger: false }),
    act: steer("pause"),
    done: "The job is paused.",
  },
  {
    name: "Resume",
    icon: "play",
    states: ["paused"],
    question: () => ({ title: "Resume this job?", text: "The search goes on where it stopped.", danger: false }),
    act: steer("resume"),
    done: "The job goes on.",
  },
  {
    name: "Extend",
    icon: "extend",
    states: ["queued", "running", "paused"],
    question: (job) => ({
      title: "How many trials in all?",
      text: `The budget is ${job.progress.trials_total} now, ${job.progress.trials_done} are done. A smaller number shortens the job.`,
      danger: false,
      field: { label: "Trials", value: job.progress.trials_total * 2, min: 1 },
    }),
    act: (job, trials) => call(`/v1/jobs/${job.id}`, { method: "PATCH", body: { trials } }),
    done: "The budget has changed.",
  },
  {
    name: "Stop",
    icon: "stop",
    states: ["queued", "running", "paused"],
    question: () => ({ title: "Stop this job?", text: "What runs is finished and counted, then the job ends. It cannot be started again.", danger: true }),
    act: steer("stop"),
    done: "The job stops after what runs.",
    danger: true,
  },
  {
    name: "Cancel",
    icon: "cancel",
    states: ["queued", "running", "paused", "stopping"],
    question: () => ({ title: "Cancel this job?", text: "What runs is killed, and the job ends. Trials that are done stay.", danger: true }),
    act: steer("cancel"),
    done: "The job is being cancelled.",
    danger: true,
  },
  {
    name: "Delete",
    icon: "bin",
    states: ENDED,
    question: (job) => ({
      title: "Delete this job?",
      text: `Its ${job.progress.trials_done} trials and their bundles are deleted with it, for ever.`,
      danger: true,
    }),
    act: async (job) => {
      await call(`/v1/jobs/${job.id}`, { method: "DELETE" });
      go("/");
    },
    done: "The job is deleted.",
    danger: true,
  },
];

async function carryOut(action: Action, job: Job, value: number, changed: () => void): Promise<void> {
  try {
    await action.act(job, value);
    tell(action.done);
    changed();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), "bad");
  }
}

/** Buttons for what the job's state allows. */
export function Actions({ job, onChanged }: { job: Job; onChanged: () => void }) {
  const start = (action: Action): void =>
    ask({ ...action.question(job), act: action.name, onAct: (value) => void carryOut(action, job, value, onChanged) });
  return (
    <div class="actions" role="group" aria-label="What to do with this job">
      <a class="button" href={`/new?clone=${job.id}`}>
        <Icon name="copy" />
        Clone
      </a>
      {ACTIONS.filter((action) => action.states.includes(job.state)).map((action) => (
        <Button key={action.name} icon={action.icon} kind={action.danger === true ? "danger" : "plain"} onClick={() => start(action)}>
          {action.name}
        </Button>
      ))}
    </div>
  );
}
