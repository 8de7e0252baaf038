import { defineModule, fromPackage, Logger, MessageBus, NodeIdentity, provide, provideValue, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Groups, Modules, NodeJobTypes } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import type { LoadMeter } from './checks/check-items.js';
import { NodeMeter } from './checks/node-meter.js';
import { config, type TaskManagerConfig } from './config.js';
import { NodeInstallation } from './installation.js';
import { Background } from './jobs/background.js';
import { ConfigActions } from './jobs/config-actions.js';
import { HandOver } from './jobs/hand-over.js';
import { NodeJobs, type Actions } from './jobs/node-jobs.js';
import { OneAtATime } from './jobs/one-at-a-time.js';
import { PrePullActions } from './jobs/pre-pull-actions.js';
import { UpgradeActions } from './jobs/upgrade-actions.js';
import { ImagePuller } from './neighbours/image-puller.js';
import { Reporter } from './neighbours/reporter.js';
import { UpgradeRecords } from './neighbours/upgrade-records.js';
import { JobRows } from './records/job-rows.js';
import { routes } from './routes.js';
import { TaskManager } from './taskmanager.js';
import { NodeTasks } from './tasks/node-tasks.js';
import { TaskStages } from './tasks/task-stages.js';

const own = <T>(name: string) => token<T>('taskmanager', name);
const Entry = own<TaskManager>('TaskManager');
const Log = own<Logger>('Logger');
const Machine = own<string>('Machine');
const Rows = own<JobRows>('JobRows');
const Records = own<UpgradeRecords>('UpgradeRecords');
const Reports = own<Reporter>('Reporter');
const Puller = own<ImagePuller>('ImagePuller');
const Handing = own<HandOver>('HandOver');
const Turns = own<OneAtATime>('OneAtATime');
const Beside = own<Background>('Background');
const Upgrades = own<UpgradeActions>('UpgradeActions');
const PrePulls = own<PrePullActions>('PrePullActions');
const Configs = own<ConfigActions>('ConfigActions');
const ActionTable = own<Readonly<Record<string, Actions>>>('Actions');
const Jobs = own<NodeJobs>('NodeJobs');
const Stages = own<TaskStages>('TaskStages');
const Tasks = own<NodeTasks>('NodeTasks');

function bindings(bind: Bind, meter: LoadMeter): void {
  const Meter = own<LoadMeter>('LoadMeter');
  bind(Log).toResolvedValue((log: Logger) => log.named('taskmanager'), [Logger]);
  provideValue(bind, Machine, process.arch);
  provideValue(bind, Meter, meter);
  provide(bind, Rows, JobRows, { store: Store });
  provide(bind, Records, UpgradeRecords, { bus: MessageBus });
  provide(bind, Reports, Reporter, { bus: MessageBus, log: Log });
  provide(bind, Puller, ImagePuller, { bus: MessageBus });
  provide(bind, Turns, OneAtATime, {});
  provide(bind, Beside, Background, {});
  provide(bind, Handing, HandOver, { installation: NodeInstallation, rows: Rows });
  provide(bind, Upgrades, UpgradeActions, { installation: NodeInstallation, handOver: Handing, records: Records, meter: Meter, machine: Machine });
  provide(bind, PrePulls, PrePullActions, { meter: Meter, puller: Puller });
  provide(bind, Configs, ConfigActions, { installation: NodeInstallation, handOver: Handing });
  bind(ActionTable).toResolvedValue(
    (upgrade: Actions, prePull: Actions, configUpdate: Actions) => ({ [NodeJobTypes.upgrade]: upgrade, [NodeJobTypes.prePull]: prePull, [NodeJobTypes.configUpdate]: configUpdate }),
    [Upgrades, PrePulls, Configs],
  );
  provide(bind, Jobs, NodeJobs, { rows: Rows, records: Records, reporter: Reports, actions: ActionTable, background: Beside, turns: Turns, log: Log });
  provide(bind, Stages, TaskStages, { installation: NodeInstallation, handOver: Handing, records: Records, puller: Puller, meter: Meter });
  provide(bind, Tasks, NodeTasks, { rows: Rows, records: Records, reporter: Reports, stages: Stages, background: Beside, turns: Turns, identity: NodeIdentity, log: Log });
  provide(bind, Entry, TaskManager, { jobs: Jobs, tasks: Tasks, rows: Rows, background: Beside });
}

/**
 * The module with a way of one's own to measure the node.
 * @param meter what the check items look at; this machine unless given
 */
export function createTaskManager(meter: LoadMeter = new NodeMeter()): ModuleDefinition<TaskManager, TaskManagerConfig> {
  return defineModule<TaskManager, TaskManagerConfig>({
    ...fromPackage(manifest),
    name: 'taskmanager',
    wire: { module: Modules.taskManager, group: Groups.taskManager },
    config,
    after: ['metamanager'],
    routes,
    entry: Entry,
    bindings: (bind) => bindings(bind, meter),
  });
}

/** The module as the agent runs it. */
export const taskmanager: ModuleDefinition<TaskManager, TaskManagerConfig> = createTaskManager();
