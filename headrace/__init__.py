"""Headrace from a notebook: submit a model, follow the search, take the designs away.

>>> import headrace
>>> client = headrace.connect()
>>> job = client.submit("model.onnx", dataset="digits.npz", search={"trials": 100})
>>> job.wait(progress=True).trials_dataframe()
>>> job.plot()
"""

from headrace.aio import AsyncClient, AsyncJob, AsyncSweep, AsyncTrial
from headrace.client import Client, connect
from headrace.errors import (
    Conflict,
    ConnectionFailed,
    Gone,
    HeadraceError,
    InvalidDataset,
    InvalidModel,
    InvalidRequest,
    JobFailed,
    NoFeasibleDesign,
    NotFound,
    ProblemError,
    ServerError,
    TooLarge,
    TooManyJobs,
    Unauthorized,
    UnsafeModel,
    Unsatisfiable,
    UnsupportedModel,
)
from headrace.http.sse import Event
from headrace.job import Job
from headrace.optional import MissingPackage
from headrace.plot import Plot
from headrace.progress import Progress
from headrace.records import Dataset, Model
from headrace.sweep import Sweep
from headrace.trial import Trial

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "AsyncSweep",
    "AsyncTrial",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "Dataset",
    "Event",
    "Gone",
    "HeadraceError",
    "InvalidDataset",
    "InvalidModel",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "MissingPackage",
    "Model",
    "NoFeasibleDesign",
    "NotFound",
    "Plot",
    "ProblemError",
    "Progress",
    "ServerError",
    "Sweep",
    "TooLarge",
    "TooManyJobs",
    "Trial",
    "Unauthorized",
    "UnsafeModel",
    "Unsatisfiable",
    "UnsupportedModel",
    "connect",
]
