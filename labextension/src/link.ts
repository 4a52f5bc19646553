/** One notebook's line to its kernel: finds the comm, says hello, hands requests on, acknowledges. */
import { ISessionContext } from '@jupyterlab/apputils';
import { Kernel, KernelMessage } from '@jupyterlab/services';
import { JSONObject } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';

import { Cells, Context } from './cells';
import { PROTOCOL, Request, TARGET } from './protocol';

export class Link implements IDisposable {
  constructor(
    private readonly context: Context,
    private readonly cells: Cells,
    private readonly version: string
  ) {
    const session = context.sessionContext;
    session.kernelChanged.connect(this.onKernel, this);
    session.connectionStatusChanged.connect(this.onConnection, this);
    context.pathChanged.connect(this.hello, this);
    void session.ready.then(() => this.attach(session.session?.kernel ?? null));
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  dispose(): void {
    if (this.disposed) {
      return;
    }
    this.disposed = true;
    const session = this.context.sessionContext;
    session.kernelChanged.disconnect(this.onKernel, this);
    session.connectionStatusChanged.disconnect(this.onConnection, this);
    this.context.pathChanged.disconnect(this.hello, this);
    this.kernel?.removeCommTarget(TARGET, this.onOpen);
    this.comms.clear();
  }

  private onKernel(_: ISessionContext, change: { newValue: Kernel.IKernelConnection | null }): void {
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
    };
    comm.onMsg = (message: KernelMessage.ICommMsgMsg) => {
      const request = message.content.data as unknown as Request;
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
  private disposed = false;
}
