// What the shop sells: drawn, so that nothing has to be loaded.
import type { ReactNode } from 'react';

export type ProductId = 'lamp' | 'mug' | 'notebook' | 'bag';

export const PRODUCTS: readonly { id: ProductId; cents: number }[] = [
  { id: 'lamp', cents: 8900 },
  { id: 'mug', cents: 1850 },
  { id: 'notebook', cents: 1400 },
  { id: 'bag', cents: 3900 },
];

const SHAPES: Record<ProductId, ReactNode> = {
  lamp: (
    <>
      <path d="M72 40h56l22 50H50z" fill="#f4b740" />
      <path d="M50 90h100l-3 8H53z" fill="#d9982a" />
      <path d="M96 98h8v46h-8z" fill="#3a3350" />
      <rect x="70" y="144" width="60" height="10" rx="5" fill="#3a3350" />
    </>
  ),
  mug: (
    <>
      <path d="M128 78h14a20 20 0 0 1 0 40h-14" fill="none" stroke="#4a2fb5" strokeWidth="10" />
      <path d="M60 58h70v72a20 20 0 0 1-20 20H80a20 20 0 0 1-20-20z" fill="#6a4be0" />
      <ellipse cx="95" cy="58" rx="35" ry="9" fill="#3c2696" />
      <path d="M72 92h46v6H72zM72 104h30v6H72z" fill="#cabfff" />
    </>
  ),
  notebook: (
    <>
      <rect x="58" y="40" width="90" height="116" rx="8" fill="#0f7a5f" />
      <rect x="58" y="40" width="18" height="116" rx="8" fill="#0a5744" />
      <rect x="90" y="62" width="44" height="26" rx="4" fill="#d8f2e6" />
      <path d="M128 40h9v116h-9z" fill="#e2604f" />
    </>
  ),
  bag: (
    <>
      <path d="M78 76V62a22 22 0 0 1 44 0v14" fill="none" stroke="#8a4b2d" strokeWidth="8" />
      <path d="M54 74h92l8 80H46z" fill="#d98555" />
      <path d="M50 114h100l1.600 16H48.400z" fill="#b8643a" />
      <circle cx="100" cy="98" r="8" fill="#fbe6d6" />
    </>
  ),
};

export function Picture({ id }: { id: ProductId }): ReactNode {
  return (
    <svg className="picture" viewBox="0 0 200 190" aria-hidden="true">
      <circle cx="100" cy="96" r="82" className="back" />
      {SHAPES[id]}
    </svg>
  );
}
