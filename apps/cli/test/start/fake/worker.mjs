import './child.mjs';
