// Asks the customer to prove once more who they are, in the middle of whatever wanted it, and then goes on with that.
import { type ReactNode, Suspense, createContext, lazy, use, useCallback, useState } from 'react';
import { methodsToProve } from './errors.ts';

const loadDialog = () => import('./components/proof-dialog.tsx');
const ProofDialog = lazy(loadDialog);

interface Asked {
  methods: readonly string[];
  settle: (isProved: boolean) => void;
}
type Prove = <Result>(run: () => Promise<Result>) => Promise<Result>;
const Proving = createContext<Prove>((run) => run());

/** Return what runs something, and runs it again when the customer has proved who they are, if the gateway wanted that. */
export const useProof = (): Prove => use(Proving);

export function ProofProvider({ children }: { children: ReactNode }): ReactNode {
  const [asked, setAsked] = useState<Asked | null>(null);
  const prove = useCallback<Prove>(async (run) => {
    try {
      return await run();
    } catch (error) {
      const methods = methodsToProve(error);
      if (!methods) throw error;
      await loadDialog(); // where that fails, it is shown as any other fault
      const isProved = await new Promise<boolean>((settle) => setAsked({ methods, settle }));
      setAsked(null);
      if (!isProved) throw error;
      return run();
    }
  }, []);
  return (
    <Proving value={prove}>
      {children}
      {asked && (
        <Suspense>
          <ProofDialog methods={asked.methods} settle={asked.settle} />
        </Suspense>
      )}
    </Proving>
  );
}
