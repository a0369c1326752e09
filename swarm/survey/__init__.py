"""What lies in a workspace, gathered by tools before the first question to a model, so that the planner plans
with names that exist and pays no turns for looking around."""

from swarm.survey.description import MOST_COLUMNS as MOST_COLUMNS
from swarm.survey.description import describe as describe
from swarm.survey.description import sample as sample
from swarm.survey.description import signature as signature
from swarm.survey.gathering import listed as listed
from swarm.survey.gathering import survey as survey
from swarm.survey.groups import FileGroup as FileGroup
from swarm.survey.groups import escaped as escaped
from swarm.survey.kinds import DATABASE_ENDINGS as DATABASE_ENDINGS
from swarm.survey.kinds import TABLE_ENDINGS as TABLE_ENDINGS
from swarm.survey.kinds import TEXT_ENDINGS as TEXT_ENDINGS
from swarm.survey.overview import MOST_GROUPS as MOST_GROUPS
from swarm.survey.overview import Survey as Survey
from swarm.survey.overview import TableGroup as TableGroup
from swarm.survey.overview import TextGroup as TextGroup
