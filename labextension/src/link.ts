/** One notebook's line to its kernel: finds the comm, says hello, hands requests on, keeps what the kernel tells. */
import { ISessionContext } from '@jupyterlab/apputils';
import { Kernel, KernelMessage } from '@jupyterlab/services';
import { JSONObject } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Cells, Context } from './cells';
import { Act, IState, PROTOCOL, Request, TARGET } from './protocol';

export class Link implements IDisposable {
  constructor(
    private readonly context: Context,
    private readonly cells: Cells,
    private readonly version: string
  ) {
    const session = context.sessionContext;
    session.kernelChanged.connect(this.onKernel, this);
    session.connectionStatusChanged.connect(this.onConnection, this);
    session.statusChanged.connect(this.onStatus, this);
    context.pathChanged.connect(this.hello, this);
    void session.ready.then(() => this.attach(session.session?.kernel ?? null));
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** Where the notebook stands; null while the kernel has no other half of this line. */
  get state(): IState | null {
    return this.told;
  }

  /** Whether there was such a half and the kernel was restarted since. */
  get lost(): boolean {
    return this.restarted;
  }

  /** The state changed, or went. */
  get changed(): ISignal<this, void> {
    return this.onChange;
  }

  /** Ask the kernel for one of the few things a panel may ask for. */
  act(act: Act, name: string): void {
    this.comms.forEach(comm => this.send(comm, { type: 'act', act, name }));
  }

  dispose(): void {
    if (this.disposed) {
      return;
    }
    this.disposed = true;
    const session = this.context.sessionContext;
    session.kernelChanged.disconnect(this.onKernel, this);
    session.connectionStatusChanged.disconnect(this.onConnection, this);
    session.statusChanged.disconnect(this.onStatus, this);
    this.context.pathChanged.disconnect(this.hello, this);
    this.kernel?.removeCommTarget(TARGET, this.onOpen);
    this.comms.clear();
    Signal.clearData(this);
  }

  private onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.forget(true);
    }
  }

  private forget(restarted: boolean): void {
    this.comms.clear();
    if (this.told) {
      this.restarted = restarted;
      this.told = null;
      this.onChange.emit();
    }
  }

  private onKernel(_: ISessionContext, change: { newValue: Kernel.IKernelConnection | null }): void {
    this.forget(true);
    void this.attach(change.newValue);
  }

  private onConnection(_: ISessionContext, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      this.hello();
    }
  }

  private async attach(kernel: Kernel.IKernelConnection | null): Promise<void> {
    if (this.disposed || !kernel || kernel === this.kernel) {
      return;
    }
    this.kernel?.removeCommTarget(TARGET, this.onOpen);
    this.comms.clear();
    this.kernel = kernel;
    kernel.registerCommTarget(TARGET, this.onOpen);
    // After a reload of the page the comm is already there, on the other side.
    const reply = await kernel.requestCommInfo({ target_name: TARGET });
    if (this.disposed || this.kernel !== kernel || reply.content.status !== 'ok') {
      return;
    }
    for (const id of Object.keys(reply.content.comms)) {
      if (!kernel.hasComm(id)) {
        this.adopt(kernel.createComm(TARGET, id));
      }
    }
  }

  private readonly onOpen = (comm: Kernel.IComm): void => {
    this.adopt(comm);
  };

  private adopt(comm: Kernel.IComm): void {
    this.comms.set(comm.commId, comm);
    comm.onClose = () => {
      this.comms.delete(comm.commId);
      if (!this.comms.size) {
        this.forget(false);
      }
    };
    comm.onMsg = (message: KernelMessage.ICommMsgMsg) => {
      const data = message.content.data;
      if (data.type === 'state') {
        this.told = data.state as unknown as IState;
        this.restarted = false;
        this.onChange.emit();
        return;
      }
      const request = data as unknown as Request;
      if (request.client !== this.kernel?.clientId) {
        return;
      }
      let ack;
      try {
        ack = this.cells.handle(request);
      } catch (error) {
        console.error('Integrator could not change the notebook', error);
        ack = { ok: false, why: 'failed' };
      }
      this.send(comm, { type: 'ack', request_id: request.request_id, client: request.client, ...ack });
    };
    this.greet(comm);
  }

  private hello(): void {
    this.comms.forEach(comm => this.greet(comm));
  }

  private greet(comm: Kernel.IComm): void {
    this.send(comm, {
      type: 'hello',
      protocol: PROTOCOL,
      version: this.version,
      client: this.kernel?.clientId ?? '',
      path: this.context.path
    });
  }

  private send(comm: Kernel.IComm, data: JSONObject): void {
    if (!comm.isDisposed) {
      comm.send(data);
    }
  }

  private kernel: Kernel.IKernelConnection | null = null;
  private readonly comms = new Map<string, Kernel.IComm>();
  private readonly onChange = new Signal<this, void>(this);
  private told: IState | null = null;
  private restarted = false;
  private disposed = false;
}
