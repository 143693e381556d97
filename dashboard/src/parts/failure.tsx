/** An error as a page, or in place of a part of one. */
import { ServiceError } from "../service/client";

/** What went wrong, in the service's own words, with what to do. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const service = error instanceof ServiceError ? error : null;
  return (
    <div class="failure" role="alert">
      {service !== null && service.status > 0 && <p class="failure-code">{service.status}</p>}
      <h1 tabIndex={-1}>{service?.title ?? "This page made a mistake"}</h1>
      <p>{error.message}</p>
      {service !== null && service.offences.length > 0 && (
        <ul>
          {service.offences.map((offence, i) => (
            <li key={i}>
              {(offence.pointer ?? offence.node) != null && <code>{offence.pointer ?? offence.node}</code>} {offence.detail ?? offence.reason}
            </li>
          ))}
        </ul>
      )}
      <p class="failure-ways">
        {retry !== undefined && (
          <button type="button" class="button" onClick={retry}>
            Try again
          </button>
        )}
        <a class="button" href="/">
          All jobs
        </a>
      </p>
    </div>
  );
}
