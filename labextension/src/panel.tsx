/** The side panel: where the current notebook stands. It acts by typed magics in cells; deciding happens in the cell. */
import { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { show } from './acting';
import { CommandIDs } from './commands';
import { icon } from './icon';
import { Links } from './links';
import { IRunning, IScript, IState, ISystem, IWaiting } from './protocol';

export const PANEL_ID = 'integrator-panel';

export class SidePanel extends ReactWidget {
  constructor(
    private readonly links: Links,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.id = PANEL_ID;
    this.addClass('ig-panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Integrator'));
    this.title.icon = icon;
    this.mark();
    links.changed.connect(this.mark, this);
  }

  /** The tab says what waits, also while the panel is closed. */
  private mark(): void {
    const waiting = this.links.link?.state?.waiting.length ?? 0;
    this.title.caption = waiting
      ? this.trans._n('Integrator: %1 thing waits for you', 'Integrator: %1 things wait for you', waiting)
      : this.trans.__('Integrator');
    this.title.className = waiting ? 'ig-tab-waiting' : '';
  }

  protected render(): JSX.Element {
    return (
      <UseSignal signal={this.links.changed}>
        {() => <Content links={this.links} commands={this.commands} trans={this.trans} />}
      </UseSignal>
    );
  }
}

interface IContext {
  links: Links;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

function Content({ links, commands, trans }: IContext): JSX.Element {
  const { panel, link } = links;
  const run = (id: string, args = {}) => void commands.execute(id, args);
  if (!panel || !link) {
    return (
      <Start
        sentence={trans.__('Say in a notebook what you need; this panel then shows where things stand.')}
        label={trans.__('New integration')}
        act={() => run(CommandIDs.create)}
      />
    );
  }
  const state = link.state;
  if (!state) {
    const sentence = link.lost
      ? trans.__(
          'The kernel was restarted. The dialog and the scripts are kept. Load Integrator again, then run the cell you were in once more.'
        )
      : trans.__('Integrator is not loaded in this notebook.');
    return <Start sentence={sentence} label={trans.__('Load it')} act={() => run(CommandIDs.load)} />;
  }
  const go = (item: { cell: string; name: string }) => void show(panel, item);
  return (
    <>
      <p className="ig-panel-notebook" title={panel.context.path}>
        {panel.title.label}
      </p>
      <Waiting trans={trans} items={state.waiting} go={go} />
      <Running trans={trans} items={state.running} go={go} stop={name => link.act(name ? 'stop' : 'cancel', name)} />
      <Systems trans={trans} items={state.systems} run={run} />
      <Scripts trans={trans} items={state.scripts} go={go} />
      <Cost trans={trans} cost={state.cost} />
      <Audit trans={trans} audit={state.audit} run={run} />
    </>
  );
}

type Run = (id: string, args?: { [key: string]: string }) => void;
type Go = (item: { cell: string; name: string }) => void;

function Start(props: { sentence: string; label: string; act: () => void }): JSX.Element {
  return (
    <div className="ig-panel-start">
      <p>{props.sentence}</p>
      <Button primary label={props.label} act={props.act} />
    </div>
  );
}

function Button(props: { label: string; act: () => void; primary?: boolean; hint?: string }): JSX.Element {
  return (
    <button
      type="button"
      className={props.primary ? 'ig-panel-button ig-panel-primary' : 'ig-panel-button'}
      aria-label={props.hint}
      onClick={props.act}
    >
      {props.label}
    </button>
  );
}

function Section(props: { title: string; count?: number; children: React.ReactNode; live?: boolean }): JSX.Element {
  return (
    <section className="ig-panel-section" aria-label={props.title}>
      <h2>
        {props.title}
        {props.count ? <span className="ig-panel-count">{props.count}</span> : null}
      </h2>
      <div aria-live={props.live ? 'polite' : undefined}>{props.children}</div>
    </section>
  );
}

function Empty(props: { children: React.ReactNode }): JSX.Element {
  return <p className="ig-panel-quiet">{props.children}</p>;
}

function Waiting({ trans, items, go }: { trans: TranslationBundle; items: IWaiting[]; go: Go }): JSX.Element {
  const verbs = {
    question: trans.__('Answer in the cell'),
    approval: trans.__('Decide in the cell'),
    failure: trans.__('See the cell')
  };
  return (
    <Section title={trans.__('Waiting for you')} count={items.length} live>
      {items.length === 0 && <Empty>{trans.__('Nothing. Describe what you need in a %1 cell.', '%%integrate')}</Empty>}
      <ul>
        {items.map((item, index) => (
          <li key={`${item.kind}-${item.name}-${index}`} className="ig-panel-item ig-panel-waits">
            <p className="ig-panel-strong">{item.title}</p>
            {item.detail && <p className="ig-panel-quiet">{item.detail}</p>}
            <Button label={verbs[item.kind]} hint={`${verbs[item.kind]}: ${item.title}`} act={() => go(item)} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Running(props: {
  trans: TranslationBundle;
  items: IRunning[];
  go: Go;
  stop: (name: string) => void;
}): JSX.Element {
  const { trans, items } = props;
  return (
    <Section title={trans.__('Running')} count={items.length} live>
      {items.length === 0 && <Empty>{trans.__('Nothing is running.')}</Empty>}
      <ul>
        {items.map(item => {
          const title = item.name || trans.__('The dialog');
          return (
            <li key={item.name} className="ig-panel-item">
              <div className="ig-panel-line">
                <Link plain={!item.name} label={title} act={() => props.go(item)} />
                <Button
                  label={trans.__('Stop')}
                  hint={trans.__('Stop %1', title)}
                  act={() => props.stop(item.name)}
                />
              </div>
              {item.total !== null && item.done !== null && (
                <progress max={item.total || 1} value={item.done} aria-label={title} />
              )}
              {item.detail && <p className="ig-panel-quiet">{item.detail}</p>}
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function Link(props: { label: string; act: () => void; hint?: string; plain?: boolean }): JSX.Element {
  return (
    <button type="button" className={props.plain ? 'ig-panel-link' : 'ig-panel-link ig-panel-code'} title={props.hint} onClick={props.act}>
      {props.label}
    </button>
  );
}

function Systems({ trans, items, run }: { trans: TranslationBundle; items: ISystem[]; run: Run }): JSX.Element {
  const words = {
    practice: trans.__('practice'),
    ready: trans.__('ready'),
    missing: trans.__('not connected')
  };
  const there = items.filter(item => item.state !== 'missing');
  const missing = items.filter(item => item.state === 'missing');
  const row = (item: ISystem) => (
    <li key={item.name} className="ig-panel-line" title={item.needs || undefined}>
      <span className="ig-panel-pair">
        <span className="ig-panel-name">{item.label}</span>
        <span className="ig-panel-state" data-state={item.state}>
          {words[item.state]}
        </span>
      </span>
      {item.state === 'missing' && (
        <Button
          label={trans.__('Connect ...')}
          hint={trans.__('Connect %1', item.label)}
          act={() => run(CommandIDs.connect, { system: item.name })}
        />
      )}
    </li>
  );
  return (
    <Section title={trans.__('Systems')}>
      {there.length === 0 && (
        <>
          <Empty>{trans.__('None yet. Connect one of yours, or try with made-up data first.')}</Empty>
          <Button primary label={trans.__('Start the practice systems')} act={() => run(CommandIDs.practice)} />
        </>
      )}
      <ul>{there.map(row)}</ul>
      {missing.length > 4 && there.length > 0 ? (
        <details>
          <summary>{trans._n('%1 more', '%1 more', missing.length)}</summary>
          <ul>{missing.map(row)}</ul>
        </details>
      ) : (
        <ul>{missing.map(row)}</ul>
      )}
    </Section>
  );
}

function Scripts({ trans, items, go }: { trans: TranslationBundle; items: IScript[]; go: Go }): JSX.Element {
  const words = {
    approved: trans.__('approved'),
    waiting: trans.__('waiting for you'),
    new: trans.__('not approved yet')
  };
  return (
    <Section title={trans.__('Scripts')}>
      {items.length === 0 && <Empty>{trans.__('None yet. A dialog writes the first one into a cell.')}</Empty>}
      <ul>
        {items.map(item => (
          <li key={item.name} className="ig-panel-item">
            <div className="ig-panel-line">
              <Link label={item.name} act={() => go(item)} hint={item.by} />
              <span className="ig-panel-state" data-state={item.state}>
                {words[item.state]}
              </span>
            </div>
            <p className="ig-panel-quiet">
              {trans.__('version %1', item.version)}
              {' · '}
              {item.last_run ? trans.__('last run %1', item.last_run) : trans.__('not run yet')}
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Audit(props: { trans: TranslationBundle; audit: IState['audit']; run: Run }): JSX.Element {
  const { trans, audit } = props;
  const records = trans._n('%1 record', '%1 records', audit.records);
  return (
    <Section title={trans.__('Audit log')}>
      <div className="ig-panel-line">
        <span className="ig-panel-name ig-panel-quiet">{records}</span>
        <span className="ig-panel-state" data-state={audit.whole ? 'approved' : 'broken'} role="status">
          {audit.whole ? trans.__('whole') : audit.words}
        </span>
        <Button label={trans.__('Verify')} hint={trans.__('Verify the audit log')} act={() => props.run(CommandIDs.verify)} />
      </div>
      {audit.newest.length === 0 && <Empty>{trans.__('Empty. Everything that happens is noted here first.')}</Empty>}
      <ol className="ig-panel-log">
        {audit.newest.map(record => (
          <li key={record.n} title={`${record.n}, ${record.person}`}>
            <span className="ig-panel-quiet">{record.at}</span> <span>{record.what}</span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Cost({ trans, cost }: { trans: TranslationBundle; cost: IState['cost'] }): JSX.Element {
  return (
    <Section title={trans.__('Cost')}>
      {cost.used ? (
        <>
          <p>{cost.used}</p>
          {cost.share !== null && (
            <progress max={1} value={Math.min(cost.share, 1)} aria-label={trans.__('Share of the ceiling')} />
          )}
        </>
      ) : (
        <Empty>{trans.__('No tokens used, nothing to pay.')}</Empty>
      )}
      <p className="ig-panel-quiet">{cost.ceiling}</p>
      {cost.mode && <p className="ig-panel-quiet">{cost.mode}</p>}
      {cost.sandbox && <p className="ig-panel-quiet">{trans.__('sandbox: %1', cost.sandbox)}</p>}
    </Section>
  );
}
