/** A place to drop a file on, or to choose one. */
import { useSignal } from "@preact/signals";
import { Icon } from "../parts/icons";

interface Props {
  label: string;
  note: string;
  accept: string;
  /** Resolves when the service has answered. */
  onFile: (file: File) => Promise<void>;
}

export function Drop({ label, note, accept, onFile }: Props) {
  const [over, busy] = [useSignal(false), useSignal("")];
  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    busy.value = file.name;
    await onFile(file);
    busy.value = "";
  };
  const dropped = (event: DragEvent): void => {
    event.preventDefault();
    over.value = false;
    void take(event.dataTransfer?.files[0]);
  };
  const dragged = (event: DragEvent): void => {
    event.preventDefault();
    over.value = true;
  };
  return (
    <label class={`drop${over.value ? " over" : ""}`} onDragOver={dragged} onDragLeave={() => (over.value = false)} onDrop={dropped}>
      <Icon name="upload" size={20} />
      <span>
        <b>{busy.value === "" ? label : `Reading ${busy.value} …`}</b>
        <span>{note}</span>
      </span>
      <input
        type="file"
        accept={accept}
        disabled={busy.value !== ""}
        onChange={(event) => {
          const input = event.currentTarget;
          void take(input.files?.[0]).then(() => (input.value = ""));
        }}
      />
    </label>
  );
}
