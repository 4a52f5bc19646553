import { LabIcon } from '@jupyterlab/ui-components';

/** Two systems and what runs between them. */
export const icon = new LabIcon({
  name: 'integrator:integrator',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M1 5.5A2.5 2.5 0 0 1 3.5 3h2a2.5 2.5 0 0 1 0 5h-2A2.5 2.5 0 0 1 1 5.5zm2.5-1.1a1.1 1.1 0 0 0 0 2.2h2a1.1 1.1 0 0 0 0-2.2z"/>
    <path d="M8 10.5A2.5 2.5 0 0 1 10.5 8h2a2.5 2.5 0 0 1 0 5h-2A2.5 2.5 0 0 1 8 10.5zm2.5-1.1a1.1 1.1 0 0 0 0 2.2h2a1.1 1.1 0 0 0 0-2.2z"/>
    <path d="M9.5 4.8h1a2.3 2.3 0 0 1 2.3 2.3H11.5a1 1 0 0 0-1-1h-1zM3.2 8.9h1.3a1 1 0 0 0 1 1h1v1.3h-1a2.3 2.3 0 0 1-2.3-2.3z"/>
  </g>
</svg>`
});
