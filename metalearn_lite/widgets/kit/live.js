function render({ model, el }) { el.textContent = model.get("state").sentence; }
export default { render };
