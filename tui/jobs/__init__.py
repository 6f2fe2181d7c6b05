"""Operations outside the app's process: the supervisor that runs one, its journal, its lock, its watchers.

A job is a directory under `STATE/jobs`, named by its id:

    spec.json       what to do; written once, before anything starts; no secrets
    journal.jsonl   what happened, an event a line; only ever appended to, only by the supervisor
    lock            held by the supervisor as long as it lives, so that anyone can tell
    cancel.json     put there by whoever wants the job to stop
    supervisor.log  whatever the process printed; empty when all is well
    staging/        a downloaded archive; kept as long as the job could be gone on with
"""
