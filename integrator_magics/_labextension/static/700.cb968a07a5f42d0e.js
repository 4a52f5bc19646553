"use strict";(self.rspackChunk_integrator_notebook=self.rspackChunk_integrator_notebook||[]).push([[700],{646(e,a,t){var o=t(601),r=t.n(o),n=t(314),i=(t.n(n))()(r());i.push([e.id,`/* JupyterLab's own variables only: light, dark and every other theme. */
.ig-panel {
  overflow: auto;
  padding: 8px 12px 24px;
  box-sizing: border-box;
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.45;
}

.ig-panel p {
  margin: 0;
  overflow-wrap: anywhere;
}

.ig-panel ul,
.ig-panel ol {
  list-style: none;
  margin: 0;
  padding: 0;
}

.ig-panel-notebook {
  color: var(--jp-ui-font-color2);
  padding-bottom: 2px;
}

.ig-panel-section {
  padding: 10px 0 8px;
  border-top: 1px solid var(--jp-border-color2);
}

.ig-panel-section h2 {
  display: flex;
  align-items: center;
  gap: 6px;
  margin: 0 0 4px;
  font-size: var(--jp-ui-font-size1);
  font-weight: 600;
  color: var(--jp-ui-font-color1);
}

.ig-panel-count {
  min-width: 10px;
  padding: 0 5px;
  border-radius: 9px;
  background: var(--jp-brand-color1);
  color: var(--jp-ui-inverse-font-color0);
  font-size: var(--jp-ui-font-size0);
  text-align: center;
}

.ig-panel-quiet,
.ig-panel summary {
  color: var(--jp-ui-font-color2);
}

.ig-panel summary {
  cursor: pointer;
  padding: 2px 0;
}

.ig-panel-strong {
  font-weight: 600;
}

.ig-panel-item {
  padding: 3px 0 5px;
}

.ig-panel-item > .ig-panel-button {
  margin-top: 4px;
}

.ig-panel-waits {
  border-left: 3px solid var(--jp-brand-color1);
  padding-left: 8px;
  margin: 4px 0;
}

.ig-panel-line {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  column-gap: 8px;
  min-height: 26px;
}

.ig-panel-name,
.ig-panel-line > .ig-panel-link {
  flex: 1 1 90px;
  min-width: 0;
  overflow-wrap: anywhere;
}

/* Name and state share a line where there is room. */
.ig-panel-pair {
  display: flex;
  flex: 1 1 110px;
  flex-wrap: wrap;
  column-gap: 8px;
  min-width: 0;
  padding: 2px 0;
}

/* A dot and a word; the dot's shape differs too, so that colour is never alone. */
.ig-panel-state {
  color: var(--jp-ui-font-color2);
}

.ig-panel-state::before {
  content: '●';
  margin-right: 5px;
  font-size: var(--jp-ui-font-size0);
  color: var(--jp-success-color1);
}

.ig-panel-state[data-state='missing']::before,
.ig-panel-state[data-state='new']::before {
  content: '○';
  color: var(--jp-ui-font-color2);
}

.ig-panel-state[data-state='waiting']::before {
  content: '?';
  font-weight: 700;
  color: var(--jp-brand-color1);
}

.ig-panel-state[data-state='broken'] {
  color: var(--jp-ui-font-color1);
  font-weight: 600;
}

.ig-panel-state[data-state='broken']::before {
  content: '✕';
  color: var(--jp-error-color1);
}

.ig-panel-button {
  min-height: 24px;
  padding: 2px 10px;
  border: 1px solid var(--jp-border-color1);
  border-radius: var(--jp-border-radius);
  background: var(--jp-layout-color2);
  color: var(--jp-ui-font-color1);
  font: inherit;
  text-align: left;
  cursor: pointer;
}

.ig-panel-button:hover {
  background: var(--jp-layout-color3);
}

.ig-panel-primary {
  border-color: var(--jp-brand-color1);
  margin: 6px 0;
}

.ig-panel-link {
  padding: 0;
  border: none;
  background: none;
  color: var(--jp-content-link-color);
  font: inherit;
  text-align: left;
  cursor: pointer;
}

.ig-panel-code {
  font-family: var(--jp-code-font-family);
}

.ig-panel-link:hover {
  text-decoration: underline;
}

.ig-panel :focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: 1px;
}

.ig-panel progress {
  width: 100%;
  accent-color: var(--jp-brand-color1);
}

.ig-panel-log li {
  padding: 1px 0;
  overflow-wrap: anywhere;
}

.ig-panel-log .ig-panel-quiet {
  font-variant-numeric: tabular-nums;
  margin-right: 4px;
}

.ig-panel-start {
  padding: 8px 0;
}

/* The tab says that something waits, with a dot at the icon. */
.ig-tab-waiting .lm-TabBar-tabIcon {
  position: relative;
}

.ig-tab-waiting .lm-TabBar-tabIcon::after {
  content: '';
  position: absolute;
  top: -3px;
  left: calc(50% + 5px);
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: var(--jp-brand-color1);
}

.ig-badge {
  display: flex;
  flex-wrap: wrap;
  column-gap: 12px;
  padding: 0 8px 2px calc(var(--jp-cell-prompt-width) + var(--jp-cell-collapser-width) + 1px);
  color: var(--jp-ui-font-color2);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size0);
  line-height: 1.5;
}

.ig-badge-state {
  display: inline-flex;
  gap: 5px;
}

.ig-badge[data-badge='unknown'] .ig-badge-state {
  display: none;
}

.ig-badge[data-badge='approved'] .ig-badge-state > :first-child {
  color: var(--jp-success-color1);
}

.ig-badge[data-badge='waiting'] .ig-badge-state,
.ig-badge[data-badge='changed'] .ig-badge-state {
  color: var(--jp-ui-font-color1);
  font-weight: 600;
}

.ig-badge[data-badge='waiting'] .ig-badge-state > :first-child {
  color: var(--jp-brand-color1);
}

.ig-badge[data-badge='changed'] .ig-badge-state > :first-child {
  color: var(--jp-warn-color1);
}
`,""]),t.d(a,{},{A:i})},314(e){e.exports=function(e){var a=[];return a.toString=function(){return this.map(function(a){var t="",o=void 0!==a[5];return a[4]&&(t+="@supports (".concat(a[4],") {")),a[2]&&(t+="@media ".concat(a[2]," {")),o&&(t+="@layer".concat(a[5].length>0?" ".concat(a[5]):""," {")),t+=e(a),o&&(t+="}"),a[2]&&(t+="}"),a[4]&&(t+="}"),t}).join("")},a.i=function(e,t,o,r,n){"string"==typeof e&&(e=[[null,e,void 0]]);var i={};if(o)for(var p=0;p<this.length;p++){var l=this[p][0];null!=l&&(i[l]=!0)}for(var c=0;c<e.length;c++){var s=[].concat(e[c]);o&&i[s[0]]||(void 0!==n&&(void 0===s[5]||(s[1]="@layer".concat(s[5].length>0?" ".concat(s[5]):""," {").concat(s[1],"}")),s[5]=n),t&&(s[2]&&(s[1]="@media ".concat(s[2]," {").concat(s[1],"}")),s[2]=t),r&&(s[4]?(s[1]="@supports (".concat(s[4],") {").concat(s[1],"}"),s[4]=r):s[4]="".concat(r)),a.push(s))}},a}},601(e){e.exports=function(e){return e[1]}},72(e){var a=[];function t(e){for(var t=-1,o=0;o<a.length;o++)if(a[o].identifier===e){t=o;break}return t}function o(e,o){for(var r={},n=[],i=0;i<e.length;i++){var p=e[i],l=o.base?p[0]+o.base:p[0],c=r[l]||0,s="".concat(l," ").concat(c);r[l]=c+1;var d=t(s),g={css:p[1],media:p[2],sourceMap:p[3],supports:p[4],layer:p[5]};if(-1!==d)a[d].references++,a[d].updater(g);else{var u=function(e,a){var t=a.domAPI(a);return t.update(e),function(a){a?(a.css!==e.css||a.media!==e.media||a.sourceMap!==e.sourceMap||a.supports!==e.supports||a.layer!==e.layer)&&t.update(e=a):t.remove()}}(g,o);o.byIndex=i,a.splice(i,0,{identifier:s,updater:u,references:1})}n.push(s)}return n}e.exports=function(e,r){var n=o(e=e||[],r=r||{});return function(e){e=e||[];for(var i=0;i<n.length;i++){var p=t(n[i]);a[p].references--}for(var l=o(e,r),c=0;c<n.length;c++){var s=t(n[c]);0===a[s].references&&(a[s].updater(),a.splice(s,1))}n=l}}},659(e){var a={};e.exports=function(e,t){var o=function(e){if(void 0===a[e]){var t=document.querySelector(e);if(window.HTMLIFrameElement&&t instanceof window.HTMLIFrameElement)try{t=t.contentDocument.head}catch(e){t=null}a[e]=t}return a[e]}(e);if(!o)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");o.appendChild(t)}},540(e){e.exports=function(e){var a=document.createElement("style");return e.setAttributes(a,e.attributes),e.insert(a,e.options),a}},56(e,a,t){e.exports=function(e){var a=t.nc;a&&e.setAttribute("nonce",a)}},825(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var a=e.insertStyleElement(e);return{update:function(t){var o,r,n;o="",t.supports&&(o+="@supports (".concat(t.supports,") {")),t.media&&(o+="@media ".concat(t.media," {")),(r=void 0!==t.layer)&&(o+="@layer".concat(t.layer.length>0?" ".concat(t.layer):""," {")),o+=t.css,r&&(o+="}"),t.media&&(o+="}"),t.supports&&(o+="}"),(n=t.sourceMap)&&"u">typeof btoa&&(o+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(n))))," */")),e.styleTagTransform(o,a,e.options)},remove:function(){var e;null===(e=a).parentNode||e.parentNode.removeChild(e)}}}},113(e){e.exports=function(e,a){if(a.styleSheet)a.styleSheet.cssText=e;else{for(;a.firstChild;)a.removeChild(a.firstChild);a.appendChild(document.createTextNode(e))}}},959(e,a,t){var o=t(72),r=t.n(o),n=t(825),i=t.n(n),p=t(659),l=t.n(p),c=t(56),s=t.n(c),d=t(540),g=t.n(d),u=t(113),f=t.n(u),v=t(646),b={};b.styleTagTransform=f(),b.setAttributes=s(),b.insert=l().bind(null,"head"),b.domAPI=i(),b.insertStyleElement=g(),r()(v.A,b),v.A&&v.A.locals&&v.A.locals}}]);