/** The name of the one account per provider that the environment configures. */
export const MAIN_ACCOUNT = 'main';
