export class PanelView {
  constructor(look) { this.el = document.createElement("pre"); this.look(look); }
  look(look) { this.el.style.minHeight = `${look.height}px`; this.title = look.title; }
  update(columns, { glide }) { this.el.textContent = `${this.title} ${glide} ${JSON.stringify(columns).slice(0, 400)}`; }
  light() {}
  destroy() {}
}
