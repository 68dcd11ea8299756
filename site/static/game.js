// The game of notebook 00: `GameModel` and `EpisodeGame` of metalearn_lite/widgets/episode_game.py,
// in the page. Questions, learners' answers, looks and even chance's lots were recorded from those;
// a test holds the two together.
import { fetched, LETTERS, require, show, unpacked } from "./kernel.js";

export class EpisodeGame {
  /** @param data what tools/site/drawing.py has recorded. */
  constructor(data) {
    this.data = data;
    this.bytes = unpacked(data.drawings.bytes);
    this.learners = Object.keys(data.choices);
    this.lot = 0;
    this.begin(0);
  }

  begin(first) {
    Object.assign(this, { first, round: 0, answers: [], byLot: [] });
  }

  get task() {
    return this.first + this.round;
  }

  get truth() {
    return this.data.truths[this.task];
  }

  get player() {
    const { you, chance, both } = this.data.names;
    if (!this.byLot.includes(true)) return you;
    return this.byLot.includes(false) ? both : chance;
  }

  get isAnswered() {
    return this.round < this.answers.length;
  }

  get isOver() {
    return this.answers.length === this.data.num_rounds;
  }

  // Gestures

  pick({ index }) {
    const round = this.round + 1;
    const then = this.isOver ? "play again" : "go to the next round";
    require(!this.isAnswered, `Round ${round} is answered already: ${then}.`);
    this.answers.push(index);
    this.byLot.push(false);
  }

  press({ name }) {
    this[name]();
  }

  go_on() {
    if (this.isOver) this.play_again();
    else {
      require(this.isAnswered, `Answer round ${this.round + 1} first.`);
      this.round += 1;
    }
  }

  play_by_chance() {
    const { num_rounds } = this.data;
    const left = num_rounds - this.answers.length;
    require(left > 0, `All ${num_rounds} rounds are played: play again.`);
    this.drawLots(left);
    this.round = num_rounds - 1;
  }

  play_again() {
    const { num_rounds, truths } = this.data;
    const first = this.first + num_rounds;
    this.begin(first + num_rounds <= truths.length ? first : 0);
  }

  play_by_chance_alone() {
    this.play_again();
    this.play_by_chance();
  }

  /** The game with the question that divides the learners; chance answers the rounds before it. */
  play_to_telling_task() {
    const { num_rounds, truths, telling } = this.data;
    this.begin(Math.min(telling - (telling % num_rounds), truths.length - num_rounds));
    this.round = telling - this.first;
    this.drawLots(this.round);
  }

  drawLots(count) {
    const { lots } = this.data;
    for (let drawn = 0; drawn < count; drawn++) {
      this.answers.push(lots[this.lot++ % lots.length]);
      this.byLot.push(true);
    }
  }

  // What is to be seen

  /** By player, who said what in this round; nothing before it is answered. */
  choices() {
    if (!this.isAnswered) return new Map();
    const said = this.learners.map((name) => [name, this.data.choices[name][this.task]]);
    return new Map([[this.player, this.answers[this.round]], ...said]);
  }

  /** By player, round by round: right or not. */
  tallies() {
    const right = (way, round) => way === this.data.truths[this.first + round];
    const all = [[this.player, this.answers.map(right)]];
    for (const name of this.learners) {
      const said = this.data.choices[name].slice(this.first, this.first + this.answers.length);
      all.push([name, said.map(right)]);
    }
    return all;
  }

  sentence() {
    const { num_rounds, num_ways } = this.data;
    const where = `Round ${this.round + 1} of ${num_rounds}`;
    if (!this.isAnswered) {
      return `${where}: which of A to ${LETTERS[num_ways - 1]} is the same character as the one above, by another hand?`;
    }
    if (this.isOver && this.byLot.at(-1)) return this.end();
    const [mine, truth] = [LETTERS[this.answers[this.round]], LETTERS[this.truth]];
    const verdict = mine === truth ? `right, it is ${truth}.` : `it is ${truth}, not ${mine}.`;
    const others = this.learners.map((name) => {
      const way = this.data.choices[name][this.task];
      return `${name} says ${LETTERS[way]}, ${way === this.truth ? "right" : "wrong"}`;
    });
    const told = `${where}: ${verdict} ${others.join("; ")}.`;
    return this.isOver ? `${told} ${this.end()}` : told;
  }

  end() {
    const scores = this.tallies().map(([name, tally]) => [name, tally.filter(Boolean).length]);
    const [[player, mine], ...others] = scores;
    const played = this.answers.length;
    const theirs = others.map(([name, score]) => `${name} ${score}`).join(", ");
    const rounds = `${played} ${played === 1 ? "round" : "rounds"}`;
    const points = this.data.points[played - 1];
    return `${player}: ${mine} of ${played}. ${theirs}. With ${rounds}, one more or less right moves a score by ${points} points, so small differences mean little. ${this.data.overall}`;
  }

  scene() {
    const { data } = this;
    const title = `Round ${this.round + 1} of ${data.num_rounds}: which card is it?`;
    const [board, scores] = data.look.panels;
    const names = [this.player, ...this.learners];
    const panels = [
      { ...board, title },
      { ...scores, y: { ...scores.y, names } },
    ];
    const controls = data.look.controls.map((one) =>
      one.name === "go_on" ? { ...one, label: this.isOver ? "Play again" : "Next round" } : one,
    );
    const off = [...(this.isAnswered ? [] : ["go_on"]), ...(this.isOver ? ["play_by_chance"] : [])];
    const state = { values: {}, off, sentence: this.sentence(), note: data.note };
    return {
      look: { ...data.look, panels, controls },
      moving: { ...this.board(), ...this.scores(names) },
      state,
    };
  }

  /** The query above the cards; under each card who chose it. */
  board() {
    const { data, truth } = this;
    const moving = structuredClone(data.moving[this.isAnswered ? "answered" : "asked"]);
    const [, each, size] = data.drawings.shape;
    const images = (from, count) => {
      const start = (this.task * each + from) * size * size;
      const bytes = this.bytes.slice(start, start + count * size * size);
      return { shape: [count, size, size], bytes };
    };
    moving.cards.pixels = images(0, data.num_ways);
    moving.query.pixels = images(data.num_ways, 1);
    if (!this.isAnswered) return moving;
    const choices = this.choices();
    const mine = choices.get(this.player);
    const wrong = mine !== truth;
    const edge = (way) => (way === truth ? "green" : wrong && way === mine ? "red" : "gray");
    moving.cards.edges = moving.cards.x.map((_, way) => edge(way));
    moving.cards.dashed = moving.cards.edges.map((one) => one === "red");
    moving.verdict.texts = [
      wrong ? `${data.verdicts.wrong} it is ${LETTERS[truth]}` : `${data.verdicts.right} right`,
    ];
    const top = Math.max(...moving.names.y);
    moving.names = { x: [], y: [], texts: [] };
    for (const [way, x] of moving.cards.x.entries()) {
      const here = [...choices].filter(([, choice]) => choice === way);
      for (const [line, [name]] of here.entries()) {
        moving.names.x.push(x);
        moving.names.y.push(top - data.line * line);
        moving.names.texts.push(name);
      }
    }
    return moving;
  }

  /** Round by round who was right, and below that how many were: a row for each player. */
  scores(names) {
    if (!this.answers.length) return {};
    const row = (name) => names.length - 1 - names.indexOf(name);
    const color = (name) => this.data.colors[name] ?? "ink";
    const played = { x: [], y: [], colors: [], markers: [], texts: [] };
    const rights = { x: [], y: [], colors: [], texts: [] };
    for (const [name, tally] of this.tallies()) {
      for (const [at, right] of tally.entries()) {
        played.x.push(at + 1);
        played.y.push(row(name) + 0.22);
        played.colors.push(color(name));
        played.markers.push(right ? "s" : "x");
        played.texts.push(`${name}, round ${at + 1}: ${right ? "right" : "wrong"}`);
      }
      const score = tally.filter(Boolean).length;
      rights.x.push(score);
      rights.y.push(row(name) - 0.16);
      rights.colors.push(color(name));
      rights.texts.push(String(score));
    }
    return { played, rights };
  }
}

/** Puts it in place of what is in `element`. */
export async function open(element, folder) {
  const data = await (await fetched(`${folder}game.json`)).json();
  await show(new EpisodeGame(data), element);
}
