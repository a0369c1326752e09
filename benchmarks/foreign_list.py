"""Servers that others published, and for each a call that it does and one that it answers with an error.

In texts ``{work}`` is the project's folder, ``{page}`` the address of a page on this machine and ``{token}`` a
word that is made up anew for each project. The token lies in ``note.txt``, ``page.pdf``, ``rows.csv``,
``stock.db``, ``pots.js``, in the page and in the one commit of the folder's repository, and in no call that
reads: who tells it has read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Args = dict[str, object]


@dataclass(frozen=True)
class Foreign:
    """A server, how it is started, and its two calls."""

    name: str
    package: str
    """``pypi:NAME==VERSION`` or ``npm:NAME@VERSION``."""
    program: str
    """What is started of what was installed."""
    plain: tuple[str, Args]
    told: str
    """What stands in the answer, and only who did the work can know."""
    wrong: tuple[str, Args]
    refused: str
    """What stands in the error, in small letters."""
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict[str, str])
    made: str = ""
    """The file that the plain call makes; the token stands in it."""
    older: tuple[str, ...] = ()
    """Packages that it was written for and does not pin."""


OLD = ("mcp==1.20.0", "pydantic==2.11.10")
FACTORS, PRODUCT = "12345*6789", "83810205"
NODE = (
    Foreign(
        "everything",
        "npm:@modelcontextprotocol/server-everything@2026.8.31",
        "mcp-server-everything",
        ("get-sum", {"a": 12345, "b": 67890}),
        "80235",
        ("get-resource-reference", {"resourceType": "Text", "resourceId": -1}),
        "must be a finite positive integer",
    ),
    Foreign(
        "filesystem",
        "npm:@modelcontextprotocol/server-filesystem@2026.8.31",
        "mcp-server-filesystem",
        ("read_text_file", {"path": "{work}/note.txt"}),
        "{token}",
        ("read_text_file", {"path": "{work}/gone.txt"}),
        "no such file",
        args=("{work}",),
    ),
    Foreign(
        "memory",
        "npm:@modelcontextprotocol/server-memory@2026.8.31",
        "mcp-server-memory",
        (
            "create_entities",
            {"entities": [{"name": "Ann", "entityType": "person", "observations": ["{token}"]}]},
        ),
        "Ann",
        ("add_observations", {"observations": [{"entityName": "Nobody", "contents": ["x"]}]}),
        "entity with name nobody not found",
        env={"MEMORY_FILE_PATH": "{work}/memory.json"},
        made="memory.json",
    ),
    Foreign(
        "thinking",
        "npm:@modelcontextprotocol/server-sequential-thinking@2026.8.31",
        "mcp-server-sequential-thinking",
        (
            "sequentialthinking",
            {"thought": "Count.", "thoughtNumber": 7, "totalThoughts": 3, "nextThoughtNeeded": False},
        ),
        '"totalThoughts":7',
        (
            "sequentialthinking",
            {"thought": "Count.", "thoughtNumber": 1, "totalThoughts": 1, "nextThoughtNeeded": "maybe"},
        ),
        "expected boolean",
    ),
    Foreign(
        "calc",
        "npm:@coo-quack/calc-mcp@2.1.1",
        "calc-mcp",
        ("math", {"expression": FACTORS}),
        PRODUCT,
        ("math", {"expression": "6*("}),
        "unexpected end of expression",
    ),
    Foreign(
        "commands",
        "npm:@agent-infra/mcp-server-commands@1.2.18",
        "mcp-server-commands",
        ("run_command", {"command": "cat {work}/note.txt"}),
        "{token}",
        ("run_command", {"command": "cat /no/such/file"}),
        "no such file",
    ),
    Foreign(
        "bank",
        "npm:@allpepper/memory-bank-mcp@0.2.2",
        "mcp-server-memory-bank",
        ("memory_bank_write", {"projectName": "tea", "fileName": "pots.md", "content": "{token}"}),
        "written successfully",
        ("memory_bank_read", {"projectName": "none", "fileName": "none.md"}),
        "enoent",
        env={"MEMORY_BANK_ROOT": "{work}"},
        made="tea/pots.md",
    ),
    Foreign(
        "pdf",
        "npm:@sylphx/pdf-reader-mcp@2.4.0",
        "pdf-reader-mcp",
        ("read_pdf", {"sources": [{"path": "{work}/page.pdf"}], "include_full_text": True}),
        "{token}",
        ("read_pdf", {"sources": [{"path": "{work}/gone.pdf"}]}),
        "file not found",
    ),
    Foreign(
        "sheets",
        "npm:@negokaz/excel-mcp-server@0.12.0",
        "excel-mcp-server",
        (
            "excel_write_to_sheet",
            {
                "fileAbsolutePath": "{work}/book.xlsx",
                "sheetName": "Pots",
                "newSheet": True,
                "range": "A1:A1",
                "values": [["{token}"]],
            },
        ),
        "Pots",
        ("excel_describe_sheets", {"fileAbsolutePath": "{work}/gone.xlsx"}),
        "no such file",
        made="book.xlsx",
    ),
    Foreign(
        "lint",
        "npm:@eslint/mcp@0.3.13",
        "mcp",
        ("lint-files", {"filePaths": ["{work}/pots.js"]}),
        "'{token}' is assigned a value but never used",
        ("lint-files", {"filePaths": ["{work}/gone.js"]}),
        "no files matching",
    ),
)
PYTHON = (
    Foreign(
        "time",
        "pypi:mcp-server-time==2026.10.19",
        "mcp-server-time",
        (
            "convert_time",
            {"source_timezone": "Asia/Kolkata", "time": "12:00", "target_timezone": "Asia/Tokyo"},
        ),
        "T15:30:00+09:00",
        ("get_current_time", {"timezone": "Europe/Nowhere"}),
        "no time zone found",
    ),
    Foreign(
        "git",
        "pypi:mcp-server-git==2026.10.19",
        "mcp-server-git",
        ("git_log", {"repo_path": "{work}"}),
        "{token}",
        ("git_log", {"repo_path": "/no/such/repository"}),
        "no/such/repository",
    ),
    Foreign(
        "fetch",
        "pypi:mcp-server-fetch==2026.10.24",
        "mcp-server-fetch",
        ("fetch", {"url": "{page}"}),
        "{token}",
        ("fetch", {"url": "http://127.0.0.1:9/"}),
        "all connection attempts failed",
        args=("--ignore-robots-txt", "--allow-private-ips"),
    ),
    Foreign(
        "calculator",
        "pypi:mcp-server-calculator==0.2.1",
        "mcp-server-calculator",
        ("calculate", {"expression": FACTORS}),
        PRODUCT,
        ("calculate", {"expression": "1/0"}),
        "division by zero",
    ),
    Foreign(
        "excel",
        "pypi:excel-mcp-server==2.2.2",
        "excel-mcp-server",
        ("create_workbook", {"path": "{work}/new.xlsx", "sheets": ["{token}"]}),
        "new.xlsx",
        ("describe_workbook", {"path": "{work}/gone.xlsx"}),
        "gone.xlsx does not exist",
        args=("stdio",),
        made="new.xlsx",
    ),
    Foreign(
        "sums",
        "pypi:calculator-mcp-server==0.1.1",
        "calculator-mcp-server",
        ("multiply", {"a": 12345, "b": 6789}),
        PRODUCT,
        ("divide", {"a": 1, "b": 0}),
        "cannot divide by zero",
    ),
    Foreign(
        "units",
        "pypi:iflow-mcp-unit-converter-mcp==0.1.2",
        "unit-converter-mcp",
        ("convert_length", {"value": 12.5, "from_unit": "mile", "to_unit": "meter"}),
        "20116.8",
        (
            "convert_batch",
            {
                "requests": [
                    {"value": 1, "from_unit": "mile", "to_unit": "kettle", "conversion_type": "length"}
                ]
            },
        ),
        '"success":false,"error"',
    ),
    Foreign(
        "finance",
        "pypi:axiom-calculator-mcp==1.0.0",
        "axiom-calculator-mcp",
        ("compound_interest", {"principal": 1000, "annual_rate_pct": 7, "years": 3}),
        "1232.93",
        ("debt_payoff_plan", {"balance": 1000, "annual_rate_pct": 50, "monthly_payment": 1}),
        "payment is too low",
    ),
    Foreign(
        "sqlite",
        "pypi:mcp-server-sqlite==2025.4.25",
        "mcp-server-sqlite",
        ("read_query", {"query": "SELECT word FROM stock"}),
        "{token}",
        ("read_query", {"query": "SELECT * FROM gone"}),
        "no such table",
        args=("--db-path", "{work}/stock.db"),
        older=OLD,
    ),
    Foreign(
        "duck",
        "pypi:mcp-server-motherduck==1.1.0",
        "mcp-server-motherduck",
        ("execute_query", {"sql": "SELECT word FROM read_csv('{work}/rows.csv')"}),
        "{token}",
        ("execute_query", {"sql": "SELECT * FROM gone"}),
        "table with name gone does not exist",
        args=("--db-path", ":memory:", "--read-write"),
    ),
)
SERVERS = (*NODE, *PYTHON)
